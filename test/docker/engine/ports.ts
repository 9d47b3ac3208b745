/** Ports that the driver chooses are shown, and every published port is the container's alone. */
import { assert, type Suite, until } from "../../harness.js";
import { HOST, type Play } from "./play.js";

interface Shown {
  readonly protocol: string;
  readonly hostPort: number;
  readonly port: number;
  readonly container?: string;
}

/** Rows of `bulkhead ports` on a container. */
async function shown(play: Play, container: string): Promise<readonly Shown[]> {
  const { ports } = JSON.parse(await play.daemon.says("ports", "--json", "--data-dir", play.daemon.dataDir));
  return (ports as readonly Shown[]).filter((one) => one.container === container);
}

/** Binds a port in a process of the host's; its word is "bound", or the error's code. */
async function bind(play: Play, protocol: "tcp" | "udp", port: number, address: string): Promise<string> {
  const told = `() => { console.log("bound"); process.exit() }`;
  const failed = `(error) => { console.log(error.code); process.exit() }`;
  const code =
    protocol === "tcp"
      ? `require("net").createServer().on("error", ${failed}).listen(${port}, "${address}", ${told})`
      : `require("dgram").createSocket("${address.includes(":") ? "udp6" : "udp4"}").on("error", ${failed}).bind(${port}, "${address}", ${told})`;
  return play.stage.text(process.execPath, "-e", code);
}

export function ports(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "-P and -p 80: bulkhead ports, with the container's name, and the log say which port; the engine says none",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      for (const asked of [
        ["-p", "80"],
        ["-P", "--expose", "80"],
      ]) {
        const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, ...asked);
        const rows = await shown(play, a);
        assert.is(new Set(rows.map(({ hostPort }) => hostPort)).size, 1, JSON.stringify(rows));
        const [{ hostPort = 0, port = 0 } = {}] = rows;
        assert.is(port, 80);
        assert.is(await play.outsideHears(HOST.ipv4, hostPort), a);
        await until(() => play.daemon.log().includes(`:${hostPort}->80/tcp`), "the log's line");
        // What the engine shows is empty for every driver that gives a gateway; a release that shows more is to be noticed.
        assert.is(await play.engine.docker("port", a), "");
      }
    },
    { ms: 90_000, needs },
  );

  test(
    "a published port is reserved: no process and no container of the engine's own gets it, until it is free again",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const map = ["-p", "8330:80", "-p", "8330:80/udp", "-p", "127.0.0.1:8331:80"];
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, ...map);
      for (const protocol of ["tcp", "udp"] as const)
        for (const address of ["0.0.0.0", "::"])
          assert.is(await bind(play, protocol, 8330, address), "EADDRINUSE", `${protocol} ${address}`);
      assert.is(await bind(play, "tcp", 8331, "127.0.0.1"), "EADDRINUSE");
      const own = await play.engine.tryDocker(["run", "--rm", "-p", "8330:80", "busybox", "true"]);
      assert.is.not(own.code, 0, "the engine's own container");
      assert.match(own.err, /8330/);
      assert.is(await play.hostHears(HOST.ipv4, 8330), a);
      await play.engine.docker("rm", "-f", a);
      assert.is(await bind(play, "tcp", 8330, "0.0.0.0"), "bound");
      await play.engine.docker("run", "--rm", "-p", "8330:80", "busybox", "true");
    },
    { ms: 90_000, needs },
  );

  test(
    "a port that a process or a container of the engine's own has is refused, in the engine's words, and free afterwards",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const own = play.name("own");
      t.cleanup(() => play.engine.docker("rm", "-f", own));
      await play.engine.runTalker(own, 80, "-p", "8332:80");
      const listener = play.stage.start(["busybox", "nc", "-ll", "-p", "8333", "-e", "echo", "process"]);
      t.cleanup(() => listener.kill("SIGKILL"));
      await until(async () => (await play.hostHears("127.0.0.1", 8333)) === "process", "the process");
      for (const port of [8332, 8333]) {
        const a = play.name("box");
        const asked = ["run", "-d", "--name", a, "--network", net.name, "-p", `${port}:80`, "busybox", "sleep", "1d"];
        const ran = await play.engine.tryDocker(asked);
        assert.is.not(ran.code, 0, `${port}`);
        assert.match(ran.err, new RegExp(`Bind for .*${port} failed: port is already allocated`));
        await play.engine.docker("rm", "-f", a);
      }
      await listener.kill("SIGKILL");
      const b = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8333:80");
      assert.is(await play.outsideHears(HOST.ipv4, 8333), b);
    },
    { ms: 90_000, needs },
  );
}

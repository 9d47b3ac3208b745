/** A container with a published port on two of our networks: one publishes at a time, and the engine says which. */
import { assert, type Suite, type TestContext, until } from "../../harness.js";
import { HOST, type Net, type Play } from "./play.js";

export function twoNetworks(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  /** A container that listens and publishes `port`, on two networks before its start. */
  async function onBoth(play: Play, t: TestContext, port: number): Promise<readonly [string, Net, Net]> {
    const [one, two] = [await play.net(t), await play.net(t)];
    const a = play.name("box");
    const listen = ["busybox", "nc", "-ll", "-p", "80", "-e", "echo", a];
    await play.engine.docker("create", "--name", a, "--network", one.name, "-p", `${port}:80`, ...listen);
    await play.engine.docker("network", "connect", two.name, a);
    await play.engine.docker("start", a);
    return [a, one, two];
  }

  /** Its port answers, on the host and from outside; its program may take a moment until it listens. */
  async function answers(play: Play, name: string, port: number): Promise<void> {
    await until(async () => (await play.hostHears("127.0.0.1", port)) === name, `127.0.0.1:${port} answers`, 10_000);
    for (const address of ["127.0.0.1", HOST.ipv4, HOST.ipv6])
      assert.is(await play.hostHears(address, port), name, `${address}:${port}`);
    for (const address of [HOST.ipv4, HOST.ipv6])
      assert.is(await play.outsideHears(address, port), name, `outside: ${address}:${port}`);
  }

  test(
    "it starts and restarts, and its port answers; removed, the port is free",
    async (t) => {
      const play = await open();
      const [a] = await onBoth(play, t, 8320);
      await answers(play, a, 8320);
      for (let n = 0; n < 3; n++) await play.engine.docker("restart", "-t", "0", a);
      await answers(play, a, 8320);
      await play.engine.docker("stop", "-t", "0", a);
      assert.is(await play.hostHears(HOST.ipv4, 8320), "");
      await play.engine.docker("start", a);
      await answers(play, a, 8320);
      await play.engine.docker("rm", "-f", a);
      const b = await play.engine.runTalker(
        play.name("box"),
        80,
        "--network",
        (await play.net(t)).name,
        "-p",
        "8320:80",
      );
      await answers(play, b, 8320);
    },
    { ms: 120_000, needs },
  );

  test(
    "the port goes along as networks are disconnected and connected",
    async (t) => {
      const play = await open();
      const [a, one, two] = await onBoth(play, t, 8321);
      const steps = [
        ["disconnect", one.name],
        ["connect", one.name],
        ["disconnect", two.name],
        ["connect", two.name],
      ] as const;
      for (const [command, network] of steps) {
        await play.engine.docker("network", command, network, a);
        await answers(play, a, 8321);
      }
    },
    { ms: 120_000, needs },
  );

  test(
    "the port goes along with --gw-priority",
    async (t) => {
      const play = await open();
      // Elsewhere there is no such option.
      if (!play.kind.gatewayPriority) return;
      const [one, two] = [await play.net(t), await play.net(t)];
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", one.name, "-p", "8322:80");
      await play.engine.docker("network", "connect", "--gw-priority", "10", two.name, a);
      await answers(play, a, 8322);
      const gateway = await play.engine.docker("exec", a, "ip", "route");
      assert.match(gateway, new RegExp(`default via ${two.ipv4(1).replaceAll(".", "\\.")} `));
      await play.engine.docker("network", "disconnect", two.name, a);
      await answers(play, a, 8322);
    },
    { ms: 120_000, needs },
  );

  test(
    "a network of ours and the engine's own: the port answers whichever has the gateway",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const own = play.name("aa-own");
      t.cleanup(() => play.remove(own));
      await play.engine.docker("network", "create", own);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8323:80");
      for (const command of ["connect", "disconnect"]) {
        await play.engine.docker("network", command, own, a);
        assert.is(await play.outsideHears(HOST.ipv4, 8323), a, command);
      }
    },
    { ms: 90_000, needs },
  );
}

/** Driver `egress` under an engine: containers reach what is listed, and nothing else, from their first packet on. */
import { EGRESS_STARTS } from "../../amounts.js";
import { assert, type Suite, type TestContext, until } from "../../harness.js";
import {
  ALLOW,
  call,
  type Does,
  dataOf,
  OTHER,
  reaches,
  resolve,
  UNLISTED,
  UNLISTED6,
  WEB,
  World,
} from "./egress-world.js";
import type { Play } from "./play.js";

/** Where the engine's own name server answers, in every container's namespace. */
const EMBEDDED = "127.0.0.11";
/** Containers that are started at the same time. */
const AT_ONCE = 4;

export function egress(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  let home: Promise<Home> | undefined;
  const at = async (): Promise<Home> => {
    home ??= Home.open(await open());
    return home;
  };

  test(
    "docker network create -o allow: by name, by wildcard and by network; no other name, port, address or protocol",
    async (t) => {
      const home = await at();
      const net = await home.net(t, "-o", `allow=${ALLOW}`);
      const [a, b] = [home.play.name("box"), home.play.name("box")];
      await home.play.engine.runIdle(a, "--network", net.name, "--dns", net.gateway);
      await home.play.engine.runTalker(b, 80, "--network", net.name, "--dns", net.gateway);

      const pings = (ip: string): Promise<boolean> => home.play.pings(a, ip);
      await reaches(home.world, { does: await home.in(a), pings, server: EMBEDDED, gateway: net.gateway });
      assert.match((await home.play.engine.inside(a, ["nslookup", "api.example.com"])).out, new RegExp(WEB));
      // What the engine itself answers, and what is between containers, is as on any network.
      const [ip = ""] = dataOf(await (await home.in(a))([resolve(b, EMBEDDED)]));
      assert.is(await home.play.hears(a, ip, 80), b);
    },
    { ms: 120_000, needs },
  );

  test(
    "without --dns an engine asks the machine's name server, and the driver answers instead; after restarts of both too",
    async (t) => {
      const home = await at();
      const { engine, daemon, stage } = home.play;
      // In place of the machine's own; a stage has an /etc of its own.
      await stage.sh(`umount /etc/resolv.conf 2>/dev/null || true; echo "nameserver ${UNLISTED}" >/etc/resolv.conf`);
      const net = await home.net(t, "-o", "allow=*.mirror.example:80");
      const a = home.play.name("box");
      const dns = home.play.kind.asksFromMachine ? ["--dns", net.gateway] : [];
      await engine.runIdle(a, "--network", net.name, "--restart", "always", ...dns);
      const served = async (): Promise<void> => {
        const does = await home.in(a);
        const asked = ["deb.mirror.example", "unlisted.example.com"].map((name) =>
          resolve(name, EMBEDDED, { ms: 1000 }),
        );
        await until(
          async () => String(dataOf(await does(asked))) === String([OTHER, "NXDOMAIN"]),
          "names to be resolved",
          20_000,
        );
        assert.equal(await does([call(OTHER, 80)]), [`web ::ffff:${OTHER} 80`]);
        assert.not.match(String(await does([call(UNLISTED, 80)])), /^web/);
      };
      await served();
      await daemon.kill("SIGKILL");
      assert.not.match(String(await (await home.in(a))([call(UNLISTED, 80)])), /^web/, "while the platform is down");
      await daemon.start();
      await served();
      await engine.kill("SIGTERM");
      await engine.start();
      await home.play.runs(a);
      await served();
      assert.is(await home.world.strays(), 0, "packets outside that were not listed");
    },
    { ms: 180_000, needs },
  );

  test(
    "an engine that asks the machine's name server from outside the container: listed names are not reached, nor is anything else",
    async (t) => {
      const home = await at();
      if (!home.play.kind.asksFromMachine) return;
      const net = await home.net(t, "-o", "allow=*.mirror.example:80");
      const a = home.play.name("box");
      await home.play.engine.runIdle(a, "--network", net.name);
      const does = await home.in(a);
      const [listed = ""] = dataOf(await does([resolve("deb.mirror.example", EMBEDDED, { ms: 1000 })]));
      assert.is.not(listed, OTHER, "the driver is not asked");
      for (const said of await does([call(OTHER, 80), call(UNLISTED, 80)])) assert.not.match(String(said), /^web/);
      assert.is(await home.world.strays(), 0, "packets outside that were not listed");
    },
    { ms: 60_000, needs },
  );

  test(
    `${EGRESS_STARTS} starts of a container whose first act is a connection that is not listed: 0 packets pass`,
    async (t) => {
      const home = await at();
      const net = await home.net(t, "-o", `allow=${ALLOW}`);
      const act = `nc -w 1 ${UNLISTED} 443 </dev/null; nc -w 1 ${UNLISTED6} 443 </dev/null; ping -c 1 -W 1 ${UNLISTED}; true`;
      const args = ["run", "--rm", "--network", net.name, "busybox", "sh", "-c", act];
      for (let n = 0; n < EGRESS_STARTS; n += AT_ONCE) {
        const runs = Array.from({ length: Math.min(AT_ONCE, EGRESS_STARTS - n) }, () =>
          home.play.engine.docker(...args),
        );
        for (const said of await Promise.all(runs)) assert.match(said, /1 packets transmitted, 0 packets received/);
      }
      // One that is connected while it sends without a pause.
      const flooding = home.play.name("flood");
      await home.play.engine.runIdle(flooding, "--network", net.name);
      const flood = home.flood(t, await home.pid(flooding));
      for (let n = 0; n < 3; n++) {
        await home.play.engine.docker("network", "disconnect", net.name, flooding);
        const before = flood();
        await home.play.engine.docker("network", "connect", net.name, flooding);
        await until(() => flood() > before + 20, "datagrams after the connection", 20_000);
      }
      assert.is(await home.world.strays(), 0, "packets outside that were not listed");
    },
    { ms: 90_000 + EGRESS_STARTS * 5000, needs },
  );

  test(
    "what came out would have been counted; and what is not for such a network is refused in the engine's words",
    async (t) => {
      const home = await at();
      const net = await home.net(t, "-o", "allow=api.example.com:443");
      const published = await home.play.engine.tryDocker(["run", "-p", "80", "--network", net.name, "busybox", "true"]);
      assert.is.not(published.code, 0);
      assert.match(published.err, /publishes no ports/);
      const create = ["network", "create", "-d", `${home.play.daemon.prefix}egress`, "-o"];
      const wrong = await home.play.engine.tryDocker([...create, "allow=api.example.com", home.play.name("egress")]);
      assert.is.not(wrong.code, 0);
      assert.match(wrong.err, /must be a name or a network with ports/);
      assert.is(await home.play.hostHears(UNLISTED, 443), `web ::ffff:${UNLISTED} 443`);
      assert.ok((await home.world.strays()) > 0, "the counter");
    },
    { ms: 60_000, needs },
  );

  test(
    "networks removed: no link, table or rule of policy routing of theirs",
    async () => {
      const { stage } = (await at()).play;
      await until(async () => (await stage.sh("ip -o link show | grep -c ' eg-' || true")) === "0", "no link");
      await until(async () => !/bulkhead/.test(await stage.sh("nft list ruleset")), "no table");
      await until(async () => !/prohibit/.test(await stage.sh("ip rule; ip -6 rule")), "no rule of policy routing");
    },
    { ms: 30_000, needs },
  );
}

interface EgressNet {
  readonly name: string;
  readonly gateway: string;
}

/** An engine with the world outside, and containers that carry out orders. */
class Home {
  readonly play: Play;
  readonly world: World;
  #count = 0;

  private constructor(play: Play, world: World) {
    this.play = play;
    this.world = world;
  }

  static async open(play: Play): Promise<Home> {
    return new Home(play, await World.open(play.stage));
  }

  /** Creates a network with both families. */
  async net(t: TestContext, ...args: readonly string[]): Promise<EgressNet> {
    const at = ++this.#count;
    const name = this.play.name("egress");
    const subnets = ["--ipv6", "--subnet", `10.66.${at}.0/24`, "--subnet", `fd66:0:0:${at}::/64`];
    await this.play.create(t, name, "egress", ...subnets, ...args);
    return { name, gateway: `10.66.${at}.1` };
  }

  async pid(container: string): Promise<string> {
    return this.play.engine.docker("inspect", "-f", "{{.State.Pid}}", container);
  }

  /** What a container's network does. */
  async in(container: string): Promise<Does> {
    return this.world.inside("nsenter", `--target=${await this.pid(container)}`, "--net");
  }

  /** Sends to what is not listed from a process's network until the test ends; returns how many datagrams the kernel took so far. */
  flood(t: TestContext, pid: string): () => number {
    const script = `
      const socket = require("dgram").createSocket("udp4").on("error", () => {});
      let taken = 0;
      const send = () => socket.send("x", 443, "${UNLISTED}", (error) => {
        if (!error && ++taken % 10 === 0) console.log(taken);
        setTimeout(send, error ? 0 : 1);
      });
      socket.bind(send);`;
    const sender = this.play.stage.start(["nsenter", `--target=${pid}`, "--net", process.execPath, "-e", script]);
    t.cleanup(() => sender.kill("SIGKILL"));
    return () => Number(sender.said().trim().split("\n").at(-1) ?? 0);
  }
}

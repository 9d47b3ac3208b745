/** Networks of the shapes that the engine's own bridge knows, and drivers that no engine is served. */
import { assert, type Suite } from "../../harness.js";
import { HOST, OUTSIDE, type Play } from "./play.js";

/** Options of the engine's own bridge: done as it does them, or refused by name. */
const OPTIONS: Readonly<Record<string, string>> = {
  "com.docker.network.bridge.name": "acceptance0",
  "com.docker.network.bridge.enable_icc": "false",
  "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
  "com.docker.network.bridge.gateway_mode_ipv4": "routed",
  "com.docker.network.bridge.gateway_mode_ipv6": "routed",
  "com.docker.network.container_iface_prefix": "lan",
};

export function shapes(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "an MTU of 1000 on a network of IPv4 alone",
    async (t) => {
      const play = await open();
      const name = play.name("mtu");
      await play.create(t, name, "bridge", "-o", "com.docker.network.driver.mtu=1000");
      const a = await play.engine.runIdle(play.name("box"), "--network", name);
      assert.is(await play.engine.docker("exec", a, "cat", "/sys/class/net/eth0/mtu"), "1000");
      assert.is(await play.hears(a, OUTSIDE.ipv4, OUTSIDE.port), OUTSIDE.word);
    },
    { ms: 60_000, needs },
  );

  test(
    "both families where the namespace has IPv6 switched off: IPv4 works, as on the engine's own bridge",
    async (t) => {
      const play = await open();
      const off = (value: 0 | 1) =>
        play.stage.sh(`sysctl -qw net.ipv6.conf.default.disable_ipv6=${value} net.ipv6.conf.all.disable_ipv6=${value}`);
      const again = [`addr add ${HOST.ipv6}/64 dev up0 nodad`, `route add default via ${OUTSIDE.ipv6}`];
      t.cleanup(() => play.stage.sh(again.map((one) => `ip -6 ${one}`).join("\n")));
      t.cleanup(() => off(0));
      await off(1);
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8360:80");
      const b = await play.engine.runIdle(play.name("box"), "--network", net.name);
      assert.is(await play.hears(b, net.ipv4(2), 80), a);
      assert.is(await play.outsideHears(HOST.ipv4, 8360), a);
    },
    { ms: 90_000, needs },
  );

  test(
    "options of the engine's own bridge are done as it does them, or refused by name",
    async (t) => {
      const play = await open();
      for (const [option, value] of Object.entries(OPTIONS)) {
        const name = play.name("opt");
        const create = ["network", "create", "-d", `${play.daemon.prefix}bridge`, "-o", `${option}=${value}`, name];
        t.cleanup(() => play.remove(name));
        const ran = await play.engine.tryDocker(create);
        if (ran.code !== 0) assert.ok(ran.err.includes(option), `${option}: ${ran.err}`);
        else await isDone(play, option, name);
        await play.remove(name);
      }
    },
    { ms: 120_000, needs },
  );

  test(
    "null and host are not served, and a line of the log says so",
    async () => {
      const play = await open();
      const sockets = await play.sockets();
      for (const type of ["null", "host"]) {
        assert.not(sockets.includes(`${play.daemon.prefix}${type}.sock`), type);
        assert.match(play.daemon.log(), new RegExp(`"${type}"[^\\n]*not served`));
      }
    },
    { ms: 60_000, needs },
  );
}

/** An option that was taken has its effect. */
async function isDone(play: Play, option: string, network: string): Promise<void> {
  const a = await play.engine.runTalker(play.name("box"), 80, "--network", network, "-p", "8361:80");
  const b = await play.engine.runIdle(play.name("box"), "--network", network);
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  const address = await play.engine.docker("inspect", "-f", format, a);
  const effects: Readonly<Record<string, () => Promise<boolean>>> = {
    "com.docker.network.bridge.name": async () =>
      (await play.stage.run(["ip", "link", "show", "acceptance0"])).code === 0,
    "com.docker.network.bridge.enable_icc": async () => (await play.hears(b, address, 80)) === "",
    "com.docker.network.bridge.host_binding_ipv4": async () =>
      (await play.hostHears("127.0.0.1", 8361)) === a && (await play.outsideHears(HOST.ipv4, 8361)) === "",
    // Routed: nothing is published, and nothing hidden behind the host's address.
    "com.docker.network.bridge.gateway_mode_ipv4": async () => (await play.hostHears("127.0.0.1", 8361)) === "",
    "com.docker.network.container_iface_prefix": () => play.does(a, "ip", "link", "show", "lan0"),
  };
  const effect = effects[option] ?? (async () => true);
  assert.ok(await effect(), `${option} was taken, and has no effect`);
}

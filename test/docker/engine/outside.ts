/** Containers and the host beyond the machine, past the engine's own firewall: each reaches what is meant to be reached, no more. */
import { assert, type Suite } from "../../harness.js";
import { AT_OUTSIDE, HOST, type Net, OUTSIDE, type Play } from "./play.js";

export function outside(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a container reaches the host outside, and that one its published port: IPv4 and IPv6",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8300:80");
      await bothWays(play, a, 8300);
    },
    { ms: 90_000, needs },
  );

  test(
    "the host outside reaches no port that is not published, also with a route to the network",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 81, "--network", net.name, "-p", "8301:80");
      const routes = [
        `ip route add ${net.ipv4(0)}/24 via ${HOST.ipv4}`,
        `ip -6 route add ${net.ipv6(0)}/64 via ${HOST.ipv6}`,
      ];
      t.cleanup(() => atOutside(play, routes.map((one) => one.replace("add", "del")).join("; ")));
      await atOutside(play, routes.join("; "));
      assert.is(await play.hostHears(net.ipv4(2), 81), a, "from the host itself");
      for (const address of [net.ipv4(2), net.ipv6(2)]) assert.is(await play.outsideHears(address, 81), "", address);
    },
    { ms: 90_000, needs },
  );

  test(
    "the machine forwards nothing for strangers: a host on another wire does not get through it",
    async (t) => {
      const play = await open();
      await play.net(t);
      const [there, us] = ["/run/stranger", "203.0.113.1"];
      t.cleanup(() => play.stage.sh(`ip link del str0; umount ${there}; rm ${there}`));
      await play.stage.sh(`
        touch ${there}; unshare --net=${there} true; ip link add str0 type veth peer name str1 netns ${there}
        ip addr add ${us}/24 dev str0; ip link set str0 up
        nsenter --net=${there} sh -ec "ip addr add 203.0.113.2/24 dev str1; ip link set str1 up; ip route add default via ${us}"`);
      t.cleanup(() => atOutside(play, `ip route del 203.0.113.0/24 via ${HOST.ipv4}`));
      await atOutside(play, `ip route add 203.0.113.0/24 via ${HOST.ipv4}`);
      const from = ["nsenter", `--net=${there}`, "busybox"];
      assert.is((await play.stage.run([...from, "ping", "-c1", "-W2", us])).code, 0, "the wire");
      const ran = await play.stage.run([...from, "nc", "-w", "3", OUTSIDE.ipv4, `${OUTSIDE.port}`], { input: "" });
      assert.is(ran.out.trim(), "");
    },
    { ms: 90_000, needs },
  );

  test(
    "the engine's own bridge is what it was: outside and published ports, and neither it nor ours reaches the other",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const ours = await play.engine.runTalker(play.name("box"), 80, "--network", net.name);
      const [own, published] = [play.name("own"), play.name("own")];
      t.cleanup(() => play.engine.docker("rm", "-f", own, published));
      await play.engine.runTalker(own, 80);
      await play.engine.runTalker(published, 80, "-p", "8303:80");
      const address = await play.engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", own);
      assert.is(await play.hears(own, OUTSIDE.ipv4, OUTSIDE.port), OUTSIDE.word);
      assert.is(await play.outsideHears(HOST.ipv4, 8303), published);
      // To a port that it publishes, an engine up to 26 lets in whoever comes from elsewhere than its own bridges.
      assert.is(await play.hears(ours, address, 80), "", "ours to the engine's");
      assert.is(await play.hears(own, net.ipv4(2), 80), "", "the engine's to ours");
    },
    { ms: 90_000, needs },
  );

  test(
    "after the engine's restart it is all there again",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = play.name("box");
      await play.engine.runTalker(a, 80, "--network", net.name, "-p", "8304:80", "--restart", "always");
      await play.engine.kill("SIGTERM");
      await play.engine.start();
      await play.runs(a);
      await bothWays(play, a, 8304);
    },
    { ms: 120_000, needs },
  );
}

/** From container `name` out, and from outside to what it publishes at `port`. */
export async function bothWays(play: Play, name: string, port: number): Promise<void> {
  for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6])
    assert.is(await play.hears(name, address, OUTSIDE.port), OUTSIDE.word, `${name} to ${address}`);
  for (const address of [HOST.ipv4, HOST.ipv6])
    assert.is(await play.outsideHears(address, port), name, `outside to ${address}:${port}`);
}

async function atOutside(play: Play, script: string): Promise<void> {
  await play.stage.text(...AT_OUTSIDE, "sh", "-ec", script);
}

/** Containers of two networks do not reach each other. */
export async function apart(play: Play, from: string, net: Net): Promise<void> {
  for (const address of [net.ipv4(2), net.ipv6(2)])
    assert.is(await play.hears(from, address, 80), "", `${from} to ${address}`);
}

/** Networks: addresses, names of interfaces, who reaches whom, and what is refused at `podman network create`. */
import { OUTSIDE } from "../docker/engine/play.js";
import { assert, type Suite } from "../harness.js";
import type { Play } from "./play.js";

export function networks(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "containers of a network reach each other and the host outside, IPv4 and IPv6; another network is apart",
    async (t) => {
      const play = await open();
      const [net, other] = [await play.net(t), await play.net(t)];
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", net.name, "--cap-add", "NET_RAW");
      const b = await play.podman.runIdle(play.name("box"), "--network", net.name);
      const c = await play.podman.runIdle(play.name("box"), "--network", other.name);
      for (const address of [net.ipv4(2), net.ipv6(2)]) {
        assert.is(await play.hears(b, address, 80), a, address);
        assert.is(await play.hears(c, address, 80), "", `from another network: ${address}`);
      }
      for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6])
        assert.is(await play.hears(a, address, OUTSIDE.port), OUTSIDE.word, address);
      assert.ok(await play.pings(a, net.ipv4(1)), "the gateway");
    },
    { ms: 90_000, needs },
  );

  test(
    "an address, a MAC address and a name of the interface are as they are asked for, and Podman shows them",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const mac = "02:bb:00:00:00:07";
      const name = play.name("box");
      const asked = ["--ip", net.ipv4(77), "--ip6", net.ipv6(77), "--mac-address", mac];
      await play.podman.runIdle(name, "--network", net.name, ...asked);
      const seen = await play.podman.podman("exec", name, "ip", "addr", "show", "eth0");
      for (const text of [`${net.ipv4(77)}/24`, `${net.ipv6(77)}/64`, mac]) assert.ok(seen.includes(text), seen);
      const path = `{{with index .NetworkSettings.Networks "${net.name}"}}{{.IPAddress}} {{.Gateway}} {{.GlobalIPv6Address}} {{.MacAddress}}{{end}}`;
      const shown = await play.podman.podman("inspect", "-f", path, name);
      assert.is(shown, `${net.ipv4(77)} ${net.ipv4(1)} ${net.ipv6(77)} ${mac}`);
      const own = play.name("box");
      await play.podman.runIdle(own, "--network", `${net.name}:interface_name=front0`);
      assert.ok(await play.does(own, "ip", "link", "show", "front0"));
    },
    { ms: 60_000, needs },
  );

  test(
    "a network without a subnet gets one within the grant; with --ipam-driver none the driver's own pool gives addresses",
    async (t) => {
      const play = await open();
      const plain = play.name("net");
      await play.create(t, plain, "bridge", "--ipv6");
      const subnets = await play.podman.podman(
        "network",
        "inspect",
        "-f",
        "{{range .Subnets}}{{.Subnet}} {{end}}",
        plain,
      );
      assert.match(subnets, /^10\.\d+\.\d+\.0\/24 fd[\da-f:]+\/64 ?$/);
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", plain);
      const b = await play.podman.runIdle(play.name("box"), "--network", plain);
      assert.is(await play.hears(b, await addressOf(play, a, plain), 80), a);
      const own = play.name("net");
      await play.create(t, own, "bridge", "--ipam-driver", "none", "-o", "subnet=10.65.200.0/24");
      const c = await play.podman.runIdle(play.name("box"), "--network", own);
      assert.is(await addressOf(play, c, own), "10.65.200.2");
    },
    { ms: 60_000, needs },
  );

  test(
    "--internal: containers reach each other and nobody outside",
    async (t) => {
      const play = await open();
      const net = await play.net(t, "--internal");
      const a = await play.podman.runTalker(play.name("box"), 80, "--network", net.name);
      const b = await play.podman.runIdle(play.name("box"), "--network", net.name, "-p", "8390:80");
      assert.is(await play.hears(b, net.ipv4(2), 80), a);
      assert.is(await play.hears(a, OUTSIDE.ipv4, OUTSIDE.port), "");
    },
    { ms: 60_000, needs },
  );

  test(
    "connect and disconnect while the container runs; a pod's containers share its network",
    async (t) => {
      const play = await open();
      const { podman } = play;
      const [one, two] = [await play.net(t), await play.net(t)];
      const a = await podman.runTalker(play.name("box"), 80, "--network", one.name);
      const b = await podman.runIdle(play.name("box"), "--network", two.name);
      assert.is(await play.hears(b, one.ipv4(2), 80), "");
      await podman.podman("network", "connect", one.name, b);
      assert.is(await play.hears(b, one.ipv4(2), 80), a);
      await podman.podman("network", "disconnect", one.name, b);
      assert.is(await play.hears(b, one.ipv4(2), 80), "");
      assert.not.ok(await play.does(b, "ip", "link", "show", "eth1"));
      const pod = play.name("pod");
      t.cleanup(() => podman.try(["pod", "rm", "-f", "-t", "0", pod]));
      await podman.podman("pod", "create", "--name", pod, "--network", one.name);
      const c = await podman.runTalker(play.name("box"), 81, "--pod", pod);
      const d = await podman.runIdle(play.name("box"), "--pod", pod);
      assert.is(await play.hears(d, "127.0.0.1", 81), c);
      assert.is(await play.hears(d, one.ipv4(2), 80), a);
    },
    { ms: 90_000, needs },
  );

  test(
    "options are checked when the network is created, and the driver's words reach the user",
    async (t) => {
      const play = await open();
      const refused = async (...args: readonly string[]): Promise<string> => {
        const ran = await play.podman.try(["network", "create", "-d", "bulkhead-bridge", ...args, play.name("net")]);
        assert.is.not(ran.code, 0, ran.out);
        return ran.err;
      };
      assert.match(await refused("-o", "colour=blue"), /unknown option "colour"/);
      assert.match(await refused("--subnet", "11.1.0.0/24"), /11\.1\.0\.0\/24.*(granted|10\.64\.0\.0\/10)/);
      assert.match(await refused("--interface-name", "mine0"), /leave out --interface-name/);
      assert.match(await refused("--route", "10.9.0.0/24,10.64.1.9"), /leave out --route|subnet/);
      await play.net(t);
      assert.equal(await play.attachments(), []);
    },
    { ms: 60_000, needs },
  );
}

async function addressOf(play: Play, container: string, network: string): Promise<string> {
  const path = `{{with index .NetworkSettings.Networks "${network}"}}{{.IPAddress}}{{end}}`;
  return play.podman.podman("inspect", "-f", path, container);
}

/** Packets between containers, to the host and out of it. */
import { assert, type Suite } from "../../harness.js";
import { HOST, OUTSIDE, type Play } from "./play.js";

export function traffic(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  test(
    "two containers reach each other: ping and TCP, by address and by name, IPv4 and IPv6",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", net.name);
      await play.engine.runTalker(b, 80, "--network", net.name);
      for (const address of [net.ipv4(3), net.ipv6(3), b]) {
        assert.ok(await play.pings(a, address), `ping ${address}`);
        assert.is(await play.hears(a, address, 80), b, `TCP to ${address}`);
      }
      for (const family of ["-4", "-6"]) assert.ok(await play.does(a, "ping", family, "-c1", "-W2", b), family);
      // As it was found: Docker's own MAC for that address.
      const mac = await play.engine.docker(
        "inspect",
        "-f",
        "{{range .NetworkSettings.Networks}}{{.MacAddress}}{{end}}",
        b,
      );
      const at = Number(net.ipv4(3).split(".")[2]);
      assert.is(mac, `02:42:0a:40:${at.toString(16).padStart(2, "0")}:03`);
    },
    { ms: 90_000, needs },
  );

  test(
    "a network has the MTU it was created with",
    async (t) => {
      const play = await open();
      const net = await play.net(t, "-o", "com.docker.network.driver.mtu=1400");
      const a = play.name("box");
      await play.engine.runIdle(a, "--network", net.name);
      assert.is(await play.engine.docker("exec", a, "cat", "/sys/class/net/eth0/mtu"), "1400");
    },
    { ms: 60_000, needs },
  );

  test(
    "two networks do not reach each other",
    async (t) => {
      const play = await open();
      const [one, two] = [await play.net(t), await play.net(t)];
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", one.name);
      await play.engine.runTalker(b, 80, "--network", two.name);
      for (const address of [two.ipv4(2), two.ipv6(2)]) {
        assert.is(await play.hears(a, address, 80), "", address);
        assert.not(await play.pings(a, address), address);
      }
      await play.engine.docker("network", "connect", two.name, a);
      assert.is(await play.hears(a, two.ipv4(2), 80), b, "once it is on that network too");
    },
    { ms: 90_000, needs },
  );

  test(
    "a container reaches a server outside the network through masquerade",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = play.name("box");
      await play.engine.runIdle(a, "--network", net.name);
      assert.is(await play.hears(a, OUTSIDE.ipv4, OUTSIDE.port), OUTSIDE.word);
      assert.is(await play.hears(a, OUTSIDE.ipv6, OUTSIDE.port), OUTSIDE.word);
    },
    { ms: 60_000, needs },
  );

  test(
    "--internal has no way out, and is a network all the same",
    async (t) => {
      const play = await open();
      const net = await play.net(t, "--internal");
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", net.name);
      await play.engine.runTalker(b, 80, "--network", net.name);
      assert.is(await play.hears(a, b, 80), b);
      for (const address of [OUTSIDE.ipv4, OUTSIDE.ipv6])
        assert.is(await play.hears(a, address, OUTSIDE.port), "", address);
      // Not with a route of its own making either.
      const route = ["run", "--rm", "--cap-add", "NET_ADMIN", "--network", net.name, "busybox", "sh", "-c"];
      const trick = `ip route add default via ${net.ipv4(1)}; nc -w 2 ${OUTSIDE.ipv4} ${OUTSIDE.port}`;
      const ran = await play.engine.tryDocker([...route, trick]);
      assert.is(ran.out.trim(), "");
    },
    { ms: 90_000, needs },
  );

  test(
    "a published port answers on the host, and from outside; and no more once its container is gone",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = play.name("box");
      await play.engine.runTalker(a, 80, "--network", net.name, "-p", "8080:80", "-p", "8081:80/udp");
      assert.is(await play.hostHears(HOST.ipv4, 8080), a);
      assert.is(await play.hostHears(HOST.ipv6, 8080), a);
      const taken = await play.engine.tryDocker([
        "run",
        "--rm",
        "--network",
        net.name,
        "-p",
        "8080:80",
        "busybox",
        "true",
      ]);
      assert.match(taken.err, /8080/);
      const beyond = await play.engine.tryDocker([
        "run",
        "--rm",
        "--network",
        net.name,
        "-p",
        "22:80",
        "busybox",
        "true",
      ]);
      assert.match(beyond.err, /22/);
      await play.engine.docker("rm", "-f", a);
      assert.is(await play.hostHears(HOST.ipv4, 8080), "");
    },
    { ms: 90_000, needs },
  );
}

/** Published ports on the machine itself: `curl localhost:PORT`, and ports published on a loopback address alone. */
import { assert, type Suite } from "../../harness.js";
import { HOST, type Play } from "./play.js";

export function loopback(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "a published port answers on localhost, in both families, as on the host's own addresses",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "8310:80");
      for (const address of ["localhost", "127.0.0.1", "::1", HOST.ipv4, HOST.ipv6])
        assert.is(await play.hostHears(address, 8310), a, address);
      await play.engine.docker("rm", "-f", a);
      for (const address of ["127.0.0.1", "::1"]) assert.is(await play.hostHears(address, 8310), "", address);
    },
    { ms: 90_000, needs },
  );

  test(
    "-p 127.0.0.1:… and -p [::1]:…: there alone, and from nowhere else",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const ports = ["-p", "127.0.0.1:8311:80", "-p", "[::1]:8312:80"];
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, ...ports);
      assert.is(await play.hostHears("127.0.0.1", 8311), a);
      assert.is(await play.hostHears("::1", 8312), a);
      for (const address of [HOST.ipv4, HOST.ipv6, net.ipv4(1), net.ipv6(1)])
        for (const port of [8311, 8312]) assert.is(await play.hostHears(address, port), "", `${address}:${port}`);
      for (const address of [HOST.ipv4, HOST.ipv6])
        for (const port of [8311, 8312]) assert.is(await play.outsideHears(address, port), "", `outside: ${port}`);
    },
    { ms: 90_000, needs },
  );

  test(
    "what listens on loopback stays there: no route to 127.0.0.0/8 from a bridge of ours or from outside",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runTalker(play.name("box"), 80, "--network", net.name, "-p", "127.0.0.1:8313:80");
      const local =
        "for one in all $(ls /sys/class/net /proc/sys/net/ipv4/conf | grep '^bh-'); do cat /proc/sys/net/ipv4/conf/$one/route_localnet; done | sort -u";
      assert.is(await play.stage.sh(local), "0");
      assert.is(await play.hears(a, net.ipv4(1), 8313), "");
    },
    { ms: 60_000, needs },
  );
}

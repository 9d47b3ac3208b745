/** Networks without `--subnet`: the engine picks from its own pools, and the policy as it ships grants them. */
import { assert, type Suite } from "../../harness.js";
import { OUTSIDE, type Play } from "./play.js";

export function pools(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "networks with no subnet given work, as many as an engine has pools for",
    async (t) => {
      const play = await open();
      const seen = new Set<string>();
      // The first pools are 172.17 to 172.31, the rest lies in 192.168.
      for (let n = 0; n < 17; n++) {
        const name = play.name("plain");
        await play.create(t, name, "bridge");
        seen.add(await play.engine.docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", name));
      }
      assert.is(seen.size, 17);
      assert.ok(
        [...seen].some((subnet) => subnet.startsWith("192.168.")),
        [...seen].join(" "),
      );
      const name = play.name("plain");
      await play.create(t, name, "bridge");
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", name);
      await play.engine.runTalker(b, 80, "--network", name);
      assert.is(await play.hears(a, b, 80), b);
      assert.is(await play.hears(a, OUTSIDE.ipv4, OUTSIDE.port), OUTSIDE.word);
    },
    { ms: 120_000, needs },
  );

  test(
    "--ipv6 with no subnet, where the engine chooses one",
    async (t) => {
      const play = await open();
      if (!play.kind.choosesIpv6) return;
      const name = play.name("plain");
      await play.create(t, name, "bridge", "--ipv6");
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", name);
      await play.engine.runIdle(b, "--network", name);
      for (const family of ["-4", "-6"]) assert.ok(await play.does(a, "ping", family, "-c1", "-W2", b), family);
      assert.is(await play.hears(a, OUTSIDE.ipv6, OUTSIDE.port), OUTSIDE.word);
    },
    { ms: 60_000, needs },
  );

  test(
    "a subnet that the policy does not grant: the refusal names it, --subnet and the engine's default-address-pools",
    async () => {
      const play = await open();
      const create = ["network", "create", "-d", `${play.daemon.prefix}bridge`, "--subnet", "203.0.113.0/24"];
      const ran = await play.engine.tryDocker([...create, play.name("plain")]);
      assert.is.not(ran.code, 0);
      for (const word of ["203.0.113.0/24", "--subnet", "default-address-pools"])
        assert.ok(ran.err.includes(word), `${word}: ${ran.err}`);
    },
    { ms: 30_000, needs },
  );
}

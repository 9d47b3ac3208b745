/** Driver `macvlan` under an engine: cards of their own on one link of the machine. */
import { assert, type Suite } from "../../harness.js";
import { PARENT, type Play } from "./play.js";

export function macvlan(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  test(
    "containers on a parent link reach each other by ping and TCP; another network on it, and a parent not granted, are refused",
    async (t) => {
      const play = await open();
      const name = play.name("mac");
      const subnets = ["--ipv6", "--subnet", "10.65.0.0/24", "--subnet", "fd64:0:0:ff::/64"];
      await play.create(t, name, "macvlan", ...subnets, "-o", `parent=${PARENT}`);
      const [a, b] = [play.name("box"), play.name("box")];
      await play.engine.runIdle(a, "--network", name);
      await play.engine.runTalker(b, 80, "--network", name);
      for (const address of ["10.65.0.3", "fd64:0:0:ff::3", b]) {
        assert.ok(await play.pings(a, address), `ping ${address}`);
        assert.is(await play.hears(a, address, 80), b, `TCP to ${address}`);
      }
      const create = ["network", "create", "-d", `${play.daemon.prefix}macvlan`, "--subnet", "10.65.1.0/24"];
      for (const [parent, why] of [
        [PARENT, /already|in use/i],
        ["up0", /ERR_NETLINK_REFUSED|parent/],
      ] as const) {
        const refused = await play.engine.tryDocker([...create, "-o", `parent=${parent}`, play.name("mac")]);
        assert.is.not(refused.code, 0, parent);
        assert.match(refused.err, why);
      }
    },
    { ms: 90_000, needs },
  );
}

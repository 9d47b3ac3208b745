/** Driver `egress` with 200 names and 50 containers: each container gets each name's addresses, and reaches them; nothing else passes. */
import { execFileSync } from "node:child_process";
import { assert, suite } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";
import type { Container } from "./container.js";
import { GRANT, home, UNLISTED } from "./egress-house.js";
import { address } from "./name-server.js";

const test = suite("plugins/egress: many names, many containers");

const NAMES = 200;
const CONTAINERS = 50;
/** Queries of one container at a time. */
const AT_ONCE = 8;
/** Names to which each container connects, a port apart. */
const REACHED = [0, 67, 134];
const ipOf = (n: number): string => `198.51.101.${n}`;
const nameOf = (n: number): string => `name-${n}.many.example`;

/** Resolves a name as a resolver does: a datagram that is lost is sent again. */
async function resolved(run: Container, name: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 5; tries++) {
    const { rcode, data } = await run("resolve", { name, ms: 2000 });
    if (rcode !== "none") return data;
  }
  return [];
}

test(
  `${NAMES} names in ${CONTAINERS} containers`,
  async (t) => {
    const resolver = { ...GRANT.resolver, queriesPerSecond: 100_000, outstanding: 4_096 };
    const { container, names, outside, strays } = await home(t, { allow: "*.many.example:80" }, { ...GRANT, resolver });
    execFileSync("ip", ["-n", outside, "route", "add", "local", "198.51.101.0/24", "dev", "lo"]);
    const all = Array.from({ length: NAMES }, (_, n) => n);
    await names.set(Object.fromEntries(all.map((n) => [nameOf(n), [address(ipOf(n), 300)]])));
    const containers: Container[] = [];
    for (let n = 0; n < CONTAINERS; n++) containers.push((await container(`e${n}`)).run);
    await Promise.all(
      containers.map(async (run, at) => {
        // Each begins with another name, so that all are first asked for at about the same time.
        const left = all.map((n) => (n + at * (NAMES / CONTAINERS)) % NAMES);
        const lane = async (): Promise<void> => {
          for (let n = left.pop(); n !== undefined; n = left.pop())
            assert.equal(await resolved(run, nameOf(n)), [ipOf(n)], `container ${at}, ${nameOf(n)}`);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, lane));
        for (const n of REACHED.map((one) => (one + at) % NAMES)) {
          assert.is(await run("call", { ip: ipOf(n), port: 80 }), `web ::ffff:${ipOf(n)} 80`);
          assert.not.match(await run("call", { ip: ipOf(n), port: 81, ms: 200 }), /^web/);
        }
        assert.not.match(
          await run("call", { ip: ipOf(NAMES + 1), port: 80, ms: 200 }),
          /^web/,
          "an address of no name",
        );
        assert.not.match(await run("call", { ip: UNLISTED, port: 80, ms: 200 }), /^web/);
      }),
    );
    assert.is(strays(), 0);
  },
  { ms: 180_000, needs: noKernel },
);

test.run();

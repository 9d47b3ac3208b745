/** Pools, against a model: a set of the addresses that are taken. */
import fc from "fast-check";
import { Pool, parseSubnet } from "#dist/plugin-addressing.js";
import { assert, suite } from "../harness.js";

const test = suite("addressing: pools");

interface Family {
  readonly subnet: string;
  readonly gateway: string;
  /** Every address that a host can have, in CIDR form, lowest first. */
  readonly hosts: readonly string[];
  /** Addresses that no host can have. */
  readonly reserved: readonly string[];
}

const FAMILIES: Readonly<Record<string, Family>> = {
  IPv4: {
    subnet: "10.64.0.0/28",
    gateway: "10.64.0.4",
    hosts: Array.from({ length: 14 }, (_, n) => `10.64.0.${n + 1}/28`),
    reserved: ["10.64.0.0/28", "10.64.0.15/28", "10.64.0.16/28", "fd64::1/124"],
  },
  IPv6: {
    subnet: "fd64::/124",
    gateway: "fd64::4",
    hosts: Array.from({ length: 15 }, (_, n) => `fd64::${(n + 1).toString(16)}/124`),
    reserved: ["fd64::/124", "fd64::10/124", "10.64.0.1/28"],
  },
};

type Step = readonly [what: "take" | "keep" | "free" | "restart", n: number];

for (const [name, { subnet: text, gateway, hosts, reserved }] of Object.entries(FAMILIES)) {
  const subnet = parseSubnet(text, { gateway });
  const gatewayCIDR = hosts.find((one) => one.startsWith(`${gateway}/`)) ?? "";
  const ip = (cidr: string): string => cidr.split("/")[0] ?? "";

  test(`${name}: each address has one owner at a time, through any takes, keeps, frees and restarts`, () => {
    const step = fc.tuple(fc.constantFrom("take", "take", "keep", "free", "restart"), fc.nat(hosts.length - 1));
    fc.assert(
      fc.property(fc.array(step as fc.Arbitrary<Step>, { maxLength: 80 }), (steps) => {
        let pool = new Pool(subnet);
        const taken = new Set<string>();
        for (const [what, n] of steps) {
          const address = hosts[n] ?? "";
          if (what === "take") {
            const expected = hosts.find((one) => one !== gatewayCIDR && !taken.has(one));
            if (expected === undefined) assert.throws(() => pool.take(), /no free address is left/);
            else {
              assert.is(pool.take(), expected);
              taken.add(expected);
            }
          } else if (what === "keep") {
            if (address === gatewayCIDR) assert.throws(() => pool.keep(address), /gateway's/);
            else if (taken.has(address)) assert.throws(() => pool.keep(address), /another endpoint's/);
            else {
              pool.keep(address);
              taken.add(address);
            }
          } else if (what === "free") {
            pool.free(address);
            taken.delete(address);
          } else {
            // As in a replay: a new worker's pool is given the addresses that endpoints have, in any order.
            pool = new Pool(subnet);
            for (const one of [...taken].reverse()) pool.keep(one);
          }
          for (const one of hosts) assert.is(pool.has(ip(one)), taken.has(one) || one === gatewayCIDR, one);
        }
      }),
    );
  });

  test(`${name}: every host's address but the gateway's is handed out once, and then Forbidden`, () => {
    const pool = new Pool(subnet);
    const given = hosts.slice(1).map(() => pool.take());
    assert.equal(
      given,
      hosts.filter((one) => one !== gatewayCIDR),
    );
    try {
      pool.take();
      assert.unreachable();
    } catch (error) {
      const { kind, message } = error as { readonly kind?: string; readonly message: string };
      assert.equal([kind, message], ["Forbidden", `no free address is left in subnet ${text}`]);
    }
    assert.equal([pool.gateway, pool.gatewayCIDR], [gateway, gatewayCIDR]);
  });

  test(`${name}: after a delete, the next address is still another one than those in use`, () => {
    const pool = new Pool(subnet);
    const inUse = new Set([pool.take(), pool.take(), pool.take()]);
    const [first = ""] = inUse;
    pool.free(first);
    inUse.delete(first);
    for (let n = 0; n < 5; n++) {
      const next = pool.take();
      assert.not(inUse.has(next), next);
      inUse.add(next);
    }
  });

  test(`${name}: an address that no host can have is refused, and freeing one changes nothing`, () => {
    const pool = new Pool(subnet);
    for (const cidr of reserved) {
      assert.throws(() => pool.keep(cidr), /is not in subnet/, cidr);
      pool.free(cidr);
    }
    for (const text of ["", "10.64.0.1", "x"]) {
      assert.throws(() => pool.keep(text), /is not an address with a prefix length/);
      pool.free(text);
    }
    pool.free(gatewayCIDR);
    for (const _ of hosts.slice(1)) assert.is.not(pool.take(), gatewayCIDR);
  });

  test(`${name}: an address is the same under another prefix length`, () => {
    const pool = new Pool(subnet);
    pool.keep(`${ip(hosts[0] ?? "")}/24`);
    assert.is(pool.take(), hosts[1]);
    pool.free(`${ip(hosts[0] ?? "")}/20`);
    assert.is(pool.take(), hosts[0]);
  });
}

test("an IPv6 address with the same bits is another address", () => {
  const pool = new Pool(parseSubnet("10.64.0.0/28"));
  assert.throws(() => pool.keep("::a40:5/124"), /is not in subnet/);
  const taken = pool.take();
  pool.free("::a40:2/124");
  assert.is.not(pool.take(), taken);
});

test.run();

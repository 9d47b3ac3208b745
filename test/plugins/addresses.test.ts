/** The drivers' own arithmetic of addresses, against ipaddr.js; and their pools. */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { assert, suite } from "../harness.js";
import { partOf } from "./shipped.js";

const test = suite("plugins: addresses");

interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}
interface Addresses {
  parseAddress(text: string): Address | undefined;
  parseCIDR(text: string): (Address & { readonly prefix: number }) | undefined;
  formatAddress(address: Address): string;
}

test("IPv6 in text and back is canonical, as ipaddr.js writes it", async (t) => {
  const { parseAddress, formatAddress } = await partOf<Addresses>(t, "bridge", "addresses.ts");
  const group = fc.oneof(
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
  );
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const address = new ipaddr.IPv6(groups);
      for (const text of [address.toNormalizedString(), address.toRFC5952String()]) {
        const parsed = parseAddress(text);
        assert.is(parsed && formatAddress(parsed), address.toRFC5952String());
      }
    }),
  );
});

test("IPv4 in text and back", async (t) => {
  const { parseAddress, formatAddress } = await partOf<Addresses>(t, "bridge", "addresses.ts");
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.is(formatAddress(parseAddress(text) as Address), text);
    }),
  );
});

test("what is not an address is none", async (t) => {
  const { parseAddress, parseCIDR } = await partOf<Addresses>(t, "bridge", "addresses.ts");
  const none = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8",
    "::1.2.3.4",
  ];
  for (const text of none) assert.is(parseAddress(text), undefined, text);
  for (const text of ["10.0.0.1", "10.0.0.1/33", "10.0.0.1/", "fd00::/129", "/24", "10.0.0.1/2a"]) {
    assert.is(parseCIDR(text), undefined, text);
  }
});

interface Pool {
  take(): string;
  keep(cidr: string): void;
  free(cidr: string): void;
}
interface Pools {
  Pool: new (subnet: object) => Pool;
}
interface Subnets {
  readAllSubnets(options: object, generic: object): readonly object[];
  overlap(a: object, b: object): boolean;
}

test("a pool gives every address of its subnet once, whatever is kept and freed between", async (t) => {
  const { Pool } = await partOf<Pools>(t, "bridge", "pool.ts");
  const { readAllSubnets } = await partOf<Subnets>(t, "bridge", "subnets.ts");
  const hosts = Array.from({ length: 14 }, (_, n) => `10.64.0.${n + 1}/28`);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("take", "keep", "free"), fc.nat(13)), { maxLength: 60 }), (steps) => {
      const [subnet = {}] = readAllSubnets({}, { subnet: "10.64.0.0/28", gateway: "10.64.0.4" });
      const pool = new Pool(subnet);
      const taken = new Set(["10.64.0.4/28"]);
      for (const [what, n] of steps) {
        const address = hosts[n] ?? "";
        if (what === "take") {
          const expected = hosts.find((one) => !taken.has(one));
          if (expected === undefined) assert.throws(() => pool.take(), /no free address/);
          else {
            assert.is(pool.take(), expected);
            taken.add(expected);
          }
        } else if (what === "keep") {
          if (taken.has(address)) assert.throws(() => pool.keep(address));
          else {
            pool.keep(address);
            taken.add(address);
          }
        } else {
          pool.free(address);
          if (address !== "10.64.0.4/28") taken.delete(address);
        }
      }
    }),
  );
});

test("subnets overlap as ipaddr.js says", async (t) => {
  const { readAllSubnets, overlap } = await partOf<Subnets>(t, "bridge", "subnets.ts");
  const subnet = fc.tuple(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 16, max: 24 }),
  );
  const text = ([a, b, prefix]: readonly [number, number, number]): string =>
    `${ipaddr.IPv4.networkAddressFromCIDR(`10.${64 + a}.${b}.0/${prefix}`).toString()}/${prefix}`;
  fc.assert(
    fc.property(subnet, subnet, (one, two) => {
      const [a, b] = [text(one), text(two)];
      const [wide, narrow] = one[2] <= two[2] ? [a, b] : [b, a];
      const expected = ipaddr.parse(narrow.split("/")[0] ?? "").match(ipaddr.parseCIDR(wide) as [ipaddr.IPv4, number]);
      const [[x = {}], [y = {}]] = [readAllSubnets({}, { subnet: a }), readAllSubnets({}, { subnet: b })];
      assert.is(overlap(x, y), expected, `${a} and ${b}`);
    }),
  );
});

test.run();

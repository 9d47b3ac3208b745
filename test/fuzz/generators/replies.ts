/** What drivers answer, and values that are strange to JSON. */
import fc from "fast-check";
import { error } from "./frames.js";
import { fields, poison } from "./values.js";

export const v4: fc.Arbitrary<string> = fc.ipV4();
const v6 = fc.oneof(fc.ipV6(), fc.constantFrom("fd00::1", "::", "::ffff:1.2.3.4", "64:ff9b::1.2.3.4"));
/** With a prefix length, up to `most`. */
export const cidr = (ip: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(ip, fc.integer({ min: 0, max: most })).map(([a, n]) => `${a}/${n}`),
    fc.constantFrom("", "10.2.0.0/16"),
  );
const mac = fc.oneof(
  fc.constant(""),
  fc
    .array(fc.nat(255), { minLength: 6, maxLength: 6 })
    .map((all) => all.map((n) => n.toString(16).padStart(2, "0")).join(":")),
  fc.constantFrom("0242.ac11.0002", "02-42-AC-11-00-02", "02:42:AC:11:00:02"),
);
const interfaceId = fc.nat(3);
const names = fields({
  id: interfaceId,
  srcName: fc.oneof(fc.string({ maxLength: 16 }), fc.constantFrom("bh-0", "eth0", "lo", ".", "..")),
  dstPrefix: fc.constantFrom("eth", "", "abcdefghijklm"),
});
const route = fields({
  destination: fc.oneof(cidr(v4, 33), cidr(v6, 129), fc.constantFrom("10.2.0.0/16", "fd00::/64", "0.0.0.0/0")),
  routeType: fc.nat(2),
  nextHop: fc.oneof(fc.constant(""), v4, v6),
  interfaceID: interfaceId,
});
const reply = fc.oneof(
  fc.array(fields({ id: interfaceId, mac, ipv4: cidr(v4, 33), ipv6: cidr(v6, 129) }), { maxLength: 4 }),
  fields({
    names: fc.array(names, { maxLength: 3 }),
    gateway: fc.oneof(v4, fc.constant("")),
    gatewayIPv6: fc.oneof(v6, fc.constant("")),
    staticRoutes: fc.array(route, { maxLength: 3 }),
  }),
  error,
  poison,
);
export const replyText: fc.Arbitrary<string> = reply.map((value) => JSON.stringify(value));

/** JSON with markers of `names` in it, nested (targets/json.ts). */
export function strangeText(names: readonly string[]): fc.Arbitrary<string> {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      poison,
      fc.record({ $: fc.constantFrom(...names), of: tie("value") }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("bulkhead.x", "constructor", "a")), tie("value"), {
        maxKeys: 4,
      }),
      fc.array(tie("value"), { maxLength: 4 }),
    ),
  }));
  return value.map((one) => JSON.stringify(one));
}

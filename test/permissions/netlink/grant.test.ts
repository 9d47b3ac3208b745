/** What a netlink grant may say, and what is left of it where manifest and policy meet. */
import fc from "fast-check";
import { narrower } from "#dist/permissions/netlink/cidr.js";
import { clashingPrefixes } from "#dist/permissions/netlink/grant.js";
import { createNetlinkHub } from "#dist/permissions/netlink/hub.js";
import { effectiveGrant } from "#dist/policy/effective.js";
import { limitsText } from "#dist/policy/grant-command.js";
import type { Manifest } from "#dist/policy/manifest/schema.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { assert, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { LIMITS_FOR_TESTS } from "./backends.js";

const test = suite("permissions/netlink/grant");
const FULL = { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/10", "fd64::/48"] };

function grantOf(asked: unknown, granted: unknown) {
  const policy = parsePolicy({ plugins: { bridge: { grant: { netlink: granted } } } });
  const manifest = asked === undefined ? undefined : ({ permissions: { netlink: asked } } as unknown as Manifest);
  const { permissions, missing } = effectiveGrant({ id: "bridge", manifest, policy });
  return { netlink: permissions.netlink, missing, text: limitsText("bridge", missing, policy, { policy: "p.json" }) };
}

function refusal(netlink: unknown): string {
  try {
    parsePolicy({ plugins: { bridge: { grant: { netlink } } } });
  } catch (error) {
    assert.is((error as { code?: string }).code, "ERR_POLICY_INVALID");
    return (error as Error).message;
  }
  throw new Error("expected a refusal");
}

test("either side may name a limit; of two, the narrower holds", () => {
  const closed = { max: 256, parents: [], passthru: false, remotes: [], ports: [] };
  assert.equal(grantOf(true, FULL), { netlink: { ...closed, ...FULL }, missing: [], text: undefined });
  assert.equal(grantOf(FULL, true).netlink, { ...closed, ...FULL });
  assert.equal(grantOf(undefined, FULL).netlink, { ...closed, ...FULL });
  const both = grantOf(
    { kinds: ["veth", "vxlan"], prefix: "bh", subnets: ["10.64.1.0/24", "10.0.0.0/8", "192.168.0.0/16"], max: 8 },
    { ...FULL, max: 4 },
  );
  assert.equal(both.netlink?.kinds, ["veth"]);
  assert.equal(both.netlink?.subnets, ["10.64.1.0/24", "10.64.0.0/10"]);
  assert.is(both.netlink?.max, 4);
});

test("what must be named and is not, or not in common, is missing, and the text says where to write it", () => {
  for (const [asked, granted, limit] of [
    [true, { kinds: ["veth"], prefix: "bh" }, "subnets"],
    [true, { kinds: ["veth"], subnets: ["10.64.0.0/10"] }, "prefix"],
    [true, { prefix: "bh", subnets: ["10.64.0.0/10"] }, "kinds"],
    [{ ...FULL, subnets: ["10.128.0.0/16"] }, FULL, "subnets"],
    [{ ...FULL, kinds: ["vxlan"] }, FULL, "kinds"],
  ] as const) {
    const { missing, text } = grantOf(asked, granted);
    assert.equal(missing, [{ permission: `netlink.${limit}`, asked: true, granted: null, unnamed: true }]);
    assert.match(text ?? "", `plugins.bridge.grant.netlink.${limit}`);
  }
  assert.is(grantOf(true, true).missing.length, 3);
});

test("the policy's prefix holds; a manifest that wants another waits", () => {
  assert.is(grantOf({ ...FULL, prefix: "bh" }, FULL).missing.length, 0);
  const { netlink, missing, text } = grantOf({ prefix: "eth" }, FULL);
  assert.is(netlink?.prefix, "bh");
  assert.equal(missing, [{ permission: "netlink.prefix", asked: "eth", granted: "bh" }]);
  assert.match(text ?? "", 'asks for netlink.prefix "eth", p.json gives "bh"');
});

test("parents, passthru, tunnels: only the policy opens any, whatever a manifest asks", () => {
  const greedy = { parents: ["eth0"], passthru: true, vniFrom: 1, vniTo: 9, remotes: ["192.0.2.0/24"], ports: [53] };
  for (const granted of [FULL, true]) {
    const { netlink } = grantOf({ ...FULL, ...greedy }, granted);
    const { parents, passthru, vniFrom, vniTo, remotes, ports } = netlink ?? LIMITS_FOR_TESTS;
    assert.equal([parents, passthru, vniFrom, vniTo, remotes, ports], [[], false, undefined, undefined, [], []]);
  }
  const open = { ...greedy, ports: [4789], vniFrom: 5, vniTo: 20, remotes: ["192.0.2.128/25"] };
  const { netlink } = grantOf({ ...FULL, ...greedy, ports: [53, 4789] }, { ...FULL, ...open });
  assert.equal(
    [netlink?.parents, netlink?.passthru, netlink?.vniFrom, netlink?.vniTo, netlink?.remotes, netlink?.ports],
    [["eth0"], true, 5, 9, ["192.0.2.128/25"], [4789]],
  );
});

test("a policy's networks are checked: form, width, special ranges", () => {
  for (const [subnet, rule] of [
    ["0.0.0.0/0", "no wider than /8"],
    ["10.0.0.0/7", ""],
    ["8.0.0.0/7", "no wider than /8"],
    ["fd00::/9", "no wider than /32, or be fd00::/8"],
    ["fc00::/7", "no wider than /32, or be fd00::/8"],
    ["2001::/16", "no wider than /32, or be fd00::/8"],
    ["10.64.0.1/10", "host bits"],
    ["10.64.0.0", "prefix length"],
    ["FD64::/48", 'must be written "fd64::/48"'],
    ["127.0.0.0/8", "127.0.0.0/8"],
    ["169.254.0.0/16", "169.254.0.0/16"],
    ["224.0.0.0/8", "224.0.0.0/4"],
    ["fe80::/32", "fe80::/10"],
    ["::/32", "::/8"],
    ["ff02::/32", "ff00::/8"],
    ["bridge", ""],
  ] as const) {
    assert.match(refusal({ ...FULL, subnets: [subnet] }), rule, subnet);
    assert.match(refusal({ ...FULL, remotes: [subnet] }), "remotes");
  }
  assert.match(refusal({ ...FULL, prefix: "BH" }), "prefix");
  assert.match(refusal({ ...FULL, prefix: "toolonger" }), "prefix");
  assert.match(refusal({ ...FULL, kinds: ["dummy"] }), "kinds");
  assert.match(refusal({ ...FULL, parents: ["-batch"] }), "parents");
  assert.match(refusal({ ...FULL, parents: ["eth0\nlink"] }), "parents");
  assert.match(refusal({ ...FULL, subnet: [] }), 'did you mean "subnets"');
});

test("unique local space may be granted whole: engines pick a network of it at random", () => {
  const subnets = ["10.64.0.0/10", "fd00::/8"];
  assert.equal(grantOf({ ...FULL, subnets }, { ...FULL, subnets }).netlink?.subnets, subnets);
  assert.equal(grantOf({ ...FULL, subnets: ["fd64::/48"] }, { ...FULL, subnets }).netlink?.subnets, ["fd64::/48"]);
});

test("no plugin's prefix is the beginning of another's: in the policy, and where manifests name them", () => {
  const policy = (one: string, other: string) => () =>
    parsePolicy({
      plugins: { one: { grant: { netlink: { prefix: one } } }, other: { grant: { netlink: { prefix: other } } } },
    });
  policy("bh", "br")();
  for (const [one, other] of [
    ["bh", "bh"],
    ["bh", "bhx"],
    ["bhx", "bh"],
  ] as const) {
    assert.throws(
      policy(one, other),
      (error: Error & { code: string }) =>
        error.code === "ERR_POLICY_INVALID" && error.message.includes('"one"') && error.message.includes('"other"'),
    );
  }
  const hub = createNetlinkHub({ backend: "model", logger: SILENT });
  hub.open("one", { ...LIMITS_FOR_TESTS, prefix: "bh" });
  hub.open("one", { ...LIMITS_FOR_TESTS, prefix: "bh" });
  const second = hub.open("two", { ...LIMITS_FOR_TESTS, prefix: "cx" });
  assert.throws(() => hub.open("three", { ...LIMITS_FOR_TESTS, prefix: "cxa" }), /"two" and "three"/);
  second.close?.();
  hub.open("three", { ...LIMITS_FOR_TESTS, prefix: "cxa" });
});

test("of many prefixes, a pair that begins alike is found where there is one, and named in the list's order", () => {
  const rows = fc.array(fc.tuple(fc.constantFrom("one", "two", "three"), fc.stringMatching(/^[ab]{1,4}$/)));
  fc.assert(
    fc.property(rows, (list) => {
      const pairs = list.flatMap(([a, first], at) =>
        list
          .slice(at + 1)
          .filter(([b, second]) => a !== b && (first.startsWith(second) || second.startsWith(first)))
          .map(([b]) => `${a} ${b}`),
      );
      const found = clashingPrefixes(list);
      if (pairs.length === 0) assert.is(found, undefined);
      else assert.ok(pairs.includes(found?.join(" ") ?? ""), `${found}: ${pairs}`);
    }),
  );
});

test("the common part of two lists of networks", () => {
  assert.equal(narrower(["10.0.0.0/8"], ["10.1.0.0/16", "11.0.0.0/8"]), ["10.1.0.0/16"]);
  assert.equal(narrower(["10.1.0.0/16", "fd00::/32"], ["10.0.0.0/8", "10.1.0.0/16", "fd00::/48"]), [
    "10.1.0.0/16",
    "fd00::/48",
  ]);
  assert.equal(narrower(["10.1.0.0/16"], ["10.2.0.0/16", "::/8"]), []);
});

test.run();

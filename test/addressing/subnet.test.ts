/** Subnets and gateways: parsed, compared, and read from a network's options. */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  type Address,
  type CIDR,
  isHost,
  overlap,
  parseAddress,
  parseCIDR,
  parseSubnet,
  readSubnets,
} from "#dist/plugin-addressing.js";
import { assert, suite } from "../harness.js";

const test = suite("addressing: subnets");

/** The kind and message of what `run` throws. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { kind, message } = error as { readonly kind: string; readonly message: string };
    return `${kind}: ${message}`;
  }
  return "nothing thrown";
}

test("a subnet has a canonical text and, unless another is given, its first address as gateway", () => {
  const four = parseSubnet("10.64.0.0/24");
  assert.equal([four.family, four.prefix, four.text], [4, 24, "10.64.0.0/24"]);
  assert.is(four.gateway, four.bits + 1n);
  assert.is(parseSubnet("FD64:0::/64").text, "fd64::/64");
  for (const gateway of ["10.64.0.9", "10.64.0.9/24"])
    assert.is(parseSubnet("10.64.0.0/24", { gateway }).gateway, four.bits + 9n, gateway);
});

test("a wrong subnet or gateway is BadRequest, with the option's name and the fault", () => {
  const six = { family: 6, name: "subnet6" } as const;
  const cases: readonly (readonly [() => unknown, string])[] = [
    [() => parseSubnet(undefined), "subnet undefined is not a subnet; give one such as 10.64.0.0/24"],
    [
      () => parseSubnet("10.64.0.0/24", six),
      'subnet6 "10.64.0.0/24" is not an IPv6 subnet; give one such as fd64::/64',
    ],
    [() => parseSubnet("10.64.0.0/15"), 'subnet "10.64.0.0/15" must have a prefix length from 16 to 30'],
    [() => parseSubnet("fd64::/127"), 'subnet "fd64::/127" must have a prefix length from 48 to 126'],
    [() => parseSubnet("10.64.0.7/24"), 'subnet "10.64.0.7/24" has host bits set; write 10.64.0.0/24'],
  ];
  for (const [run, message] of cases) assert.is(refusal(run), `BadRequest: ${message}`);
  for (const gateway of ["10.64.0.0", "10.64.0.255", "10.64.1.1", "fd64::1", "10.64.0.1/25", "10.64.0.1/24/24", 7])
    assert.match(
      refusal(() => parseSubnet("10.64.0.0/24", { gateway })),
      /^BadRequest: gateway .* is not an address that a host of 10\.64\.0\.0\/24 can have$/,
    );
});

test("subnets overlap as ipaddr.js says", () => {
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
      assert.is(overlap(parseSubnet(a), parseSubnet(b)), expected, `${a} and ${b}`);
    }),
  );
  assert.not(overlap(parseCIDR("0.0.0.0/16") as CIDR, parseCIDR("::/48") as CIDR), "the same bits");
});

test("a host has neither the network's own address nor IPv4's broadcast", () => {
  const cases = [
    ["10.64.0.0/30", ["10.64.0.1", "10.64.0.2"], ["10.64.0.0", "10.64.0.3", "10.64.0.4", "10.63.255.255", "fd64::1"]],
    ["fd64::/126", ["fd64::1", "fd64::2", "fd64::3"], ["fd64::", "fd64::4", "10.64.0.1"]],
  ] as const;
  for (const [text, hosts, others] of cases) {
    const subnet = parseSubnet(text);
    for (const ip of hosts) assert.ok(isHost(subnet, parseAddress(ip) as Address), ip);
    for (const ip of others) assert.not(isHost(subnet, parseAddress(ip) as Address), ip);
  }
});

const GENERIC = "com.docker.network.generic";
const IPAM = "com.docker.network.ipam";
const texts = (options: Parameters<typeof readSubnets>[0]): readonly string[] =>
  readSubnets(options).map(({ text }) => text);

test("options may name subnets in pairs or in objects, and the platform's pools come first", () => {
  assert.equal(texts({}), []);
  assert.equal(texts({ [GENERIC]: { subnet: "10.64.0.0/24", subnet6: "fd64::/64", mtu: 1500 } }), [
    "10.64.0.0/24",
    "fd64::/64",
  ]);
  assert.equal(texts({ [GENERIC]: { ipv6: { subnet: "fd64::/64", gateway: "fd64::9" } } }), ["fd64::/64"]);
  const pools = { ipv4: [{ Pool: "10.65.0.0/24", Gateway: "10.65.0.1/24" }] };
  assert.equal(texts({ [GENERIC]: { subnet6: "fd64::/64" }, [IPAM]: pools }), ["10.65.0.0/24", "fd64::/64"]);
  assert.equal(texts({ [GENERIC]: { subnet: "10.65.0.0/24" }, [IPAM]: pools }), ["10.65.0.0/24"]);
  assert.equal(
    texts({ [IPAM]: { ipv4: [{ Pool: "0.0.0.0/0" }], ipv6: [{ Pool: "::/0" }] } }),
    [],
    "Docker's null IPAM",
  );
});

test("options that contradict each other are BadRequest", () => {
  const two = { ipv4: [{ Pool: "10.65.0.0/24" }, { Pool: "10.66.0.0/24" }] };
  const cases: readonly (readonly [Parameters<typeof readSubnets>[0], RegExp])[] = [
    [{ [GENERIC]: { gateway: "10.64.0.1" } }, /gateway "10\.64\.0\.1" needs a subnet/],
    [{ [GENERIC]: { subnet: "10.64.0.0/24", ipv4: { subnet: "10.65.0.0/24" } } }, /two IPv4 subnets/],
    [{ [GENERIC]: { subnet: "10.64.0.0/24" }, [IPAM]: { ipv4: [{ Pool: "10.65.0.0/24" }] } }, /address management/],
    [{ [GENERIC]: { ipv4: { subnets: [] } } }, /ipv4 has no key "subnets"/],
    [{ [GENERIC]: [] }, /com\.docker\.network\.generic must be an object/],
    [{ [IPAM]: { ipv4: {} } }, /ipv4 must be a list/],
    [{ [IPAM]: two }, /two pools of IPv4/],
  ];
  for (const [options, words] of cases) {
    const said = refusal(() => readSubnets(options));
    assert.match(said, /^BadRequest: /);
    assert.match(said, words);
  }
});

test.run();

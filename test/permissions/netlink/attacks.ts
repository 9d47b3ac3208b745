/** An attack per rule: what a plugin asks, what that would do were it not refused, and on what machine. */
import type { Json } from "#dist/driverapi/json.js";
import type { Change } from "#dist/permissions/netlink/backend.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import { CARD } from "./backends.js";

export interface Attack {
  readonly rule: string;
  readonly what: string;
  /** The machine, before. */
  readonly host?: readonly Change[];
  /** What the plugin has asked for before, and been given. */
  readonly first?: readonly (readonly Json[])[];
  readonly limits?: Partial<NetlinkLimits>;
  /** Method and arguments. */
  readonly ask: readonly Json[];
  /** What the refusal must show. */
  readonly shows: string;
  /** The same past the rules: the kernel does it. Absent where there is no such thing to be done. */
  readonly works?: readonly Change[];
  /** An address to which the machine's own traffic then goes through the plugin's link, or nowhere. */
  readonly takes?: string;
  /** Name servers of the machine. */
  readonly resolvers?: readonly string[];
}

const BRIDGE = ["createLink", { kind: "bridge", name: "bh-b" }] as const;
const UP = ["setLink", "bh-b", { up: true }] as const;
const VETH = ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w" }] as const;
const OTHERS: readonly Change[] = [{ op: "add", link: { kind: "bridge", name: "bh-other" } }];
const TUNNELS = { vniFrom: 100, vniTo: 199, remotes: ["192.0.2.0/24"], ports: [4789] };
const TUNNEL = { kind: "vxlan", name: "bh-x", vni: 100, port: 4789, remote: "192.0.2.7" } as const;

const UNDERLAY: readonly Change[] = [...CARD, { op: "addAddress", name: "eth0", address: "192.0.2.1/24" }];
const OVERLAY = { kind: "vxlan", name: "bh-x", vni: 100, port: 4789, local: "192.0.2.1" } as const;
const OVERLAY_UP = [
  ["createLink", OVERLAY],
  ["setLink", "bh-x", { up: true }],
  ["addAddress", "bh-x", "10.65.1.0/32"],
] as const;
const HOST = {
  host: "192.0.2.2",
  mac: "02:42:0a:40:00:02",
  routes: [{ destination: "10.65.2.0/24", via: "10.65.2.0" }],
};

/** A card of the machine's with a network and a gateway in it, all within the grant. */
const LAN: readonly Change[] = [
  ...CARD,
  { op: "addAddress", name: "eth0", address: "10.64.5.2/24" },
  { op: "addAddress", name: "eth0", address: "fd64:0:5::2/64" },
  { op: "addRoute", destination: "10.96.0.0/16", via: "10.64.5.1", dev: "eth0" },
  { op: "addRoute", destination: "0.0.0.0/0", via: "10.64.5.1", dev: "eth0" },
];

const named = (name: string): Attack => ({
  rule: "name",
  what: `the name ${JSON.stringify(name)}`,
  ask: ["createLink", { kind: "bridge", name }],
  shows: JSON.stringify(name),
});

/** What differs from the common form; `works: undefined` leaves it out. */
type More = { readonly [K in keyof Attack]?: Attack[K] | undefined };

const address = (rule: string, what: string, cidr: string, more: More = {}): Attack => ({
  rule,
  what,
  first: [BRIDGE, UP],
  ask: ["addAddress", "bh-b", cidr],
  shows: JSON.stringify(cidr),
  works: [{ op: "addAddress", name: "bh-b", address: cidr }],
  ...(more as Partial<Attack>),
});

const route = (rule: string, what: string, destination: string, more: More = {}): Attack => ({
  rule,
  what,
  first: [BRIDGE, UP],
  ask: ["addRoute", { destination, dev: "bh-b" }],
  shows: JSON.stringify(destination),
  works: [{ op: "addRoute", destination, dev: "bh-b" }],
  ...(more as Partial<Attack>),
});

/** A remote host that differs from `HOST` in the fields given. */
const remote = (rule: string, what: string, fields: Partial<typeof HOST>, shows: string, more: More = {}): Attack => ({
  rule,
  what,
  limits: TUNNELS,
  host: UNDERLAY,
  first: OVERLAY_UP,
  ask: ["setRemote", "bh-x", { ...HOST, ...fields }],
  shows,
  ...(more as Partial<Attack>),
});

const routed = (destination: string, via: string): Pick<typeof HOST, "routes"> => ({ routes: [{ destination, via }] });

const field = (on: string, key: string, value: Json): Attack => ({
  rule: "fields",
  what: `${key} of ${on}`,
  first: [BRIDGE, UP],
  ask:
    on === "a route"
      ? ["addRoute", { destination: "10.65.0.0/24", dev: "bh-b", [key]: value }]
      : on === "settings"
        ? ["setLink", "bh-b", { [key]: value }]
        : ["createLink", { kind: on, name: "bh-n", ...(on === "veth" ? { peer: "bh-m" } : {}), [key]: value }],
  shows: JSON.stringify(key),
});

export const ATTACKS: readonly Attack[] = [
  field("settings", "altname", "eth1"),
  field("settings", "netns", "1"),
  field("settings", "promisc", true),
  field("settings", "name", "eth1"),
  field("settings", "alias", "bulkhead:x:other:bh-b"),
  field("bridge", "stp_state", 1),
  field("bridge", "vlan_filtering", 1),
  field("bridge", "netns", "/proc/1/ns/net"),
  field("veth", "peerNetns", "1"),
  field("veth", "link-netnsid", 0),
  field("a route", "src", "10.64.5.2"),
  field("a route", "onlink", true),
  field("a route", "table", "local"),
  field("a route", "metric", 0),
  { rule: "shape", what: "an object for a name", ask: ["deleteLink", { name: "lo" }], shows: "a string" },
  {
    rule: "shape",
    what: "a list for a peer",
    ask: ["createLink", { kind: "veth", name: "bh-v", peer: ["bh-w", "netns", "1"] }],
    shows: "peer",
  },
  {
    rule: "shape",
    what: "a text for a number",
    ask: ["createLink", { kind: "bridge", name: "bh-b", mtu: "1500 promisc on" }],
    shows: "mtu",
  },

  {
    rule: "kind",
    what: "a kind that is not granted",
    limits: { kinds: ["bridge"] },
    ask: [...VETH],
    shows: '"veth"',
    works: [{ op: "add", link: VETH[1] }],
  },
  {
    rule: "kind",
    what: "a kind that does not exist",
    ask: ["createLink", { kind: "tun", name: "bh-t" }],
    shows: '"tun"',
  },
  {
    rule: "kind",
    what: "a tunnel without limits",
    ask: ["createLink", TUNNEL],
    shows: "vxlan",
    works: [{ op: "add", link: TUNNEL }],
  },

  named("eth0"),
  named("bh-%d"),
  named("bh%d"),
  named("-batch"),
  named("bh-;rm"),
  named("bh-$(id)"),
  named("bh-a\nlink delete lo"),
  named("bh-a type veth peer name eth0 #"),
  named("bh-a\u0000"),
  named("bh-"),
  named("bhx-a"),
  named("bh-UP"),
  named("bh-thirteenbytes"),
  named("all"),
  {
    rule: "name",
    what: "a peer that takes the machine's next name",
    ask: ["createLink", { kind: "veth", name: "bh-v", peer: "eth0" }],
    shows: '"eth0"',
    works: [{ op: "add", link: { kind: "veth", name: "bh-v", peer: "eth0" } }],
  },
  {
    rule: "name",
    what: "a peer counted up",
    ask: ["createLink", { kind: "veth", name: "bh-v", peer: "bh-%d" }],
    shows: '"bh-%d"',
  },
  {
    rule: "name",
    what: "the machine's card set down",
    host: CARD,
    ask: ["setLink", "eth0", { up: false }],
    shows: '"eth0"',
    works: [{ op: "down", name: "eth0" }],
  },
  {
    rule: "name",
    what: "the machine's card deleted",
    host: CARD,
    ask: ["deleteLink", "eth0"],
    shows: '"eth0"',
    works: [{ op: "delete", name: "eth0" }],
  },
  {
    rule: "name",
    what: "an address for the machine's card",
    host: CARD,
    ask: ["addAddress", "eth0", "10.64.0.1/24"],
    shows: '"eth0"',
    works: [{ op: "addAddress", name: "eth0", address: "10.64.0.1/24" }],
  },
  {
    rule: "name",
    what: "a route through the machine's card",
    host: CARD,
    ask: ["addRoute", { destination: "10.65.0.0/16", dev: "eth0" }],
    shows: '"eth0"',
    works: [{ op: "addRoute", destination: "10.65.0.0/16", dev: "eth0" }],
    takes: "10.65.0.1",
  },
  {
    rule: "name",
    what: "a master that is the machine's",
    host: [{ op: "add", link: { kind: "bridge", name: "br0" } }],
    first: [VETH],
    ask: ["setLink", "bh-v", { master: "br0" }],
    shows: '"br0"',
    works: [{ op: "master", name: "bh-v", master: "br0" }],
  },

  {
    rule: "own",
    what: "another's link of a fitting name deleted",
    host: OTHERS,
    ask: ["deleteLink", "bh-other"],
    shows: '"bh-other"',
    works: [{ op: "delete", name: "bh-other" }],
  },
  {
    rule: "own",
    what: "another's link of a fitting name as master",
    host: OTHERS,
    first: [VETH],
    ask: ["setLink", "bh-v", { master: "bh-other" }],
    shows: '"bh-other"',
    works: [{ op: "master", name: "bh-v", master: "bh-other" }],
  },
  {
    rule: "own",
    what: "another's link of a fitting name for a route",
    host: [...OTHERS, { op: "up", name: "bh-other" }],
    ask: ["addRoute", { destination: "10.65.0.0/24", dev: "bh-other" }],
    shows: '"bh-other"',
    works: [{ op: "addRoute", destination: "10.65.0.0/24", dev: "bh-other" }],
  },
  {
    rule: "differs",
    what: "a link made again, differently",
    first: [BRIDGE],
    ask: ["createLink", { kind: "veth", name: "bh-b", peer: "bh-c" }],
    shows: '"bh-b"',
  },
  {
    rule: "max",
    what: "one link too many",
    limits: { max: 2 },
    first: [BRIDGE],
    ask: [...VETH],
    shows: "2",
    works: [{ op: "add", link: VETH[1] }],
  },

  {
    rule: "parent",
    what: "a macvlan on a card that is not listed",
    host: CARD,
    limits: { parents: ["eth1"] },
    ask: ["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "bridge" }],
    shows: '"eth0"',
    works: [{ op: "add", link: { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "bridge" } }],
  },
  {
    rule: "parent",
    what: "a tunnel bound to a card that is not listed",
    host: CARD,
    limits: TUNNELS,
    ask: ["createLink", { ...TUNNEL, parent: "eth0" }],
    shows: '"eth0"',
    works: [{ op: "add", link: { ...TUNNEL, parent: "eth0" } }],
  },
  {
    rule: "mode",
    what: "the whole card, by passthru",
    host: CARD,
    limits: { parents: ["eth0"] },
    ask: ["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "passthru" }],
    shows: '"passthru"',
    works: [{ op: "add", link: { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "passthru" } }],
  },
  {
    rule: "mode",
    what: "a mode that reflects through the switch",
    host: CARD,
    limits: { parents: ["eth0"], passthru: true },
    ask: ["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "vepa" }],
    shows: '"vepa"',
  },
  {
    rule: "vni",
    what: "another's tunnel network",
    limits: TUNNELS,
    ask: ["createLink", { ...TUNNEL, vni: 200 }],
    shows: "200",
    works: [{ op: "add", link: { ...TUNNEL, vni: 200 } }],
  },
  {
    rule: "remote",
    what: "a tunnel to anywhere",
    limits: TUNNELS,
    ask: ["createLink", { ...TUNNEL, remote: "198.51.100.1" }],
    shows: "198.51.100.1",
    works: [{ op: "add", link: { ...TUNNEL, remote: "198.51.100.1" } }],
  },
  {
    rule: "remote",
    what: "a tunnel to the first host that writes to it",
    limits: TUNNELS,
    ask: ["createLink", { kind: "vxlan", name: "bh-x", vni: 100 }],
    shows: "192.0.2.0/24",
    works: [{ op: "add", link: { kind: "vxlan", name: "bh-x", vni: 100 } }],
  },
  ...["::ffff:192.0.2.7", "192.0.2.7%eth0", "fe80::1%eth0", "192.0.2.07", ""].map(
    (remote): Attack => ({
      rule: "remote",
      what: `the remote ${JSON.stringify(remote)}`,
      limits: TUNNELS,
      ask: ["createLink", { ...TUNNEL, remote }],
      shows: JSON.stringify(remote),
    }),
  ),
  ...[0, 99, 2 ** 24, -1].map(
    (vni): Attack => ({
      rule: "vni",
      what: `the identifier ${vni}`,
      limits: TUNNELS,
      ask: ["createLink", { ...TUNNEL, vni }],
      shows: String(vni),
    }),
  ),
  {
    rule: "remote",
    what: "a tunnel by multicast",
    limits: { ...TUNNELS, remotes: ["224.0.0.0/4"] },
    ask: ["createLink", { ...TUNNEL, remote: "239.1.1.1" }],
    shows: "239.1.1.1",
  },
  {
    rule: "port",
    what: "the name server's port",
    limits: TUNNELS,
    ask: ["createLink", { ...TUNNEL, port: 53 }],
    shows: "53",
    works: [
      { op: "add", link: { ...TUNNEL, port: 53 } },
      { op: "up", name: "bh-x" },
    ],
  },

  {
    rule: "mac",
    what: "a multicast MAC",
    ask: ["createLink", { kind: "bridge", name: "bh-b", mac: "01:00:5e:00:00:01" }],
    shows: "01:00:5e:00:00:01",
  },
  {
    rule: "mac",
    what: "a maker's MAC",
    ask: ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w", peerMac: "00:50:56:00:00:01" }],
    shows: "00:50:56:00:00:01",
    works: [{ op: "add", link: { kind: "veth", name: "bh-v", peer: "bh-w", peerMac: "00:50:56:00:00:01" } }],
  },
  ...["02:42:0a:40:00:01:07:08", "ff:ff:ff:ff:ff:ff", "03:00:00:00:00:01", "00:00:00:00:00:00", "random"].map(
    (mac): Attack => ({
      rule: "mac",
      what: `the MAC ${mac}`,
      ask: ["createLink", { kind: "bridge", name: "bh-b", mac }],
      shows: JSON.stringify(mac),
    }),
  ),
  { rule: "mac", what: "no MAC at all", first: [BRIDGE], ask: ["setLink", "bh-b", { mac: "" }], shows: '""' },
  {
    rule: "mac",
    what: "the card's own MAC changed, through passthru",
    host: CARD,
    limits: { parents: ["eth0"], passthru: true },
    first: [["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "passthru" }]],
    ask: ["setLink", "bh-m", { mac: "02:42:0a:40:00:07" }],
    shows: "passthru",
    works: [{ op: "mac", name: "bh-m", mac: "02:42:0a:40:00:07" }],
  },
  {
    rule: "host-mac",
    what: "the MAC of the machine's card",
    host: CARD,
    first: [VETH],
    ask: ["setLink", "bh-v", { mac: "02:AA:00:00:00:01" }],
    shows: "02:aa:00:00:00:01",
    works: [{ op: "mac", name: "bh-v", mac: "02:aa:00:00:00:01" }],
  },
  {
    rule: "host-mac",
    what: "the MAC of the machine's card, for a peer",
    host: CARD,
    ask: ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w", peerMac: "02:aa:00:00:00:01" }],
    shows: "02:aa:00:00:00:01",
    works: [{ op: "add", link: { kind: "veth", name: "bh-v", peer: "bh-w", peerMac: "02:aa:00:00:00:01" } }],
  },

  {
    rule: "mtu",
    what: "an MTU that ends IPv6",
    first: [BRIDGE, ["addAddress", "bh-b", "fd64::1/64"]],
    ask: ["setLink", "bh-b", { mtu: 1279 }],
    shows: "1279 is below 1280, and bh-b has the IPv6 address fd64::1",
    works: [{ op: "mtu", name: "bh-b", mtu: 1279 }],
  },
  {
    rule: "mtu",
    what: "IPv6 on a link that is too small for it",
    first: [["createLink", { kind: "bridge", name: "bh-b", mtu: 1279 }]],
    ask: ["addAddress", "bh-b", "fd64::1/64"],
    shows: "fd64::1/64 needs an mtu of 1280 or more, and bh-b has 1279",
  },
  {
    rule: "mtu",
    what: "a small port, which takes its bridge with it",
    first: [BRIDGE, ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu: 600 }]],
    ask: ["setLink", "bh-v", { master: "bh-b" }],
    shows: "600 is below 1280, and its bridge bh-b has 1500",
    works: [{ op: "master", name: "bh-v", master: "bh-b" }],
  },
  {
    rule: "mtu",
    what: "a port that becomes small on its bridge",
    first: [BRIDGE, VETH, ["setLink", "bh-v", { master: "bh-b" }]],
    ask: ["setLink", "bh-v", { mtu: 600 }],
    shows: "600 is below 1280, and its bridge bh-b has 1500",
    works: [{ op: "mtu", name: "bh-v", mtu: 600 }],
  },
  {
    rule: "mtu",
    what: "an enormous MTU",
    ask: ["createLink", { kind: "bridge", name: "bh-b", mtu: 65_535 }],
    shows: "65535",
    works: [{ op: "add", link: { kind: "bridge", name: "bh-b", mtu: 65_535 } }],
  },
  ...[-1, 0, 67, 9217, 2 ** 32].map(
    (mtu): Attack => ({
      rule: "mtu",
      what: `the MTU ${mtu}`,
      ask: ["createLink", { kind: "veth", name: "bh-v", peer: "bh-w", mtu }],
      shows: String(mtu),
    }),
  ),
  {
    rule: "mtu",
    what: "more than a tunnel's card carries with its headers",
    host: CARD,
    limits: { ...TUNNELS, parents: ["eth0"] },
    ask: ["createLink", { ...TUNNEL, parent: "eth0", mtu: 1500 }],
    shows: "1450",
  },
  {
    rule: "mtu",
    what: "more than the parent's, later",
    host: CARD,
    limits: { parents: ["eth0"] },
    first: [["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "private" }]],
    ask: ["setLink", "bh-m", { mtu: 1501 }],
    shows: "1501",
  },
  {
    rule: "mtu",
    what: "more than the parent's",
    host: [...CARD, { op: "mtu", name: "eth0", mtu: 1400 }],
    limits: { parents: ["eth0"] },
    ask: ["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "bridge", mtu: 1500 }],
    shows: "1500",
  },

  {
    rule: "master",
    what: "a loop: both ends of a veth on bridges",
    first: [BRIDGE, VETH, ["setLink", "bh-v", { master: "bh-b" }]],
    ask: ["setLink", "bh-w", { master: "bh-b" }],
    shows: '"bh-v"',
    works: [{ op: "master", name: "bh-w", master: "bh-b" }],
  },
  {
    rule: "master",
    what: "a loop by macvlans of one card",
    host: CARD,
    limits: { parents: ["eth0"] },
    first: [BRIDGE, ["createLink", { kind: "macvlan", name: "bh-m", parent: "eth0", mode: "bridge" }]],
    ask: ["setLink", "bh-m", { master: "bh-b" }],
    shows: "macvlan",
    works: [{ op: "master", name: "bh-m", master: "bh-b" }],
  },
  {
    rule: "master",
    what: "a master that is not a bridge",
    first: [VETH],
    ask: ["setLink", "bh-v", { master: "bh-w" }],
    shows: '"bh-w"',
  },

  address("address", "an address with a command behind it", "10.64.0.1/24 dev lo", { works: undefined }),
  address("address", "a second spelling of an address", "::ffff:10.64.0.1/120", { works: undefined }),
  address("address", "octal", "10.064.0.1/24", { works: undefined }),
  address("address", "an address of one link only", "fd64::1%eth0/64", { works: undefined }),
  address("address", "the same address in hexadecimal", "0x0a400001/24", { works: undefined }),
  address("address", "an address without its network", "10.64.0.1", { works: undefined }),
  route("address", "a mapped destination", "::ffff:10.64.0.0/120", { works: undefined }),
  route("address", "a destination of one link only", "fd64::%eth0/64", { works: undefined }),
  route("address", "a destination with host bits", "10.65.0.1/24", { works: undefined }),
  route("address", "the word default", "default", { works: undefined }),
  route("default-route", "all traffic", "0.0.0.0/0", { host: LAN.slice(0, -1), takes: "198.51.100.1" }),
  route("default-route", "half of all traffic", "128.0.0.0/1", { host: LAN, takes: "198.51.100.1" }),
  route("default-route", "all IPv6 traffic", "2000::/3", { takes: "2001:db8::1" }),
  route("width", "more than a grant can be", "10.0.0.0/7", { takes: "10.1.0.1" }),
  route("width", "more IPv6 than a grant can be", "fd00::/16", { takes: "fd00::1" }),
  address("width", "an address that routes a whole /10", "10.64.0.1/10", { takes: "10.100.0.1" }),
  address("width", "an address that routes a whole /32", "fd64::1/32", { takes: "fd64:0:9::1" }),
  address("special", "loopback", "127.0.0.53/16"),
  address("special", "the cloud's metadata service", "169.254.169.254/32", { takes: "169.254.169.254" }),
  address("special", "IPv6 link-local", "fe80::1/64"),
  address("special", "0.0.0.0/8", "0.1.2.3/16", { works: undefined }),
  route("special", "multicast", "224.0.0.0/8"),
  route("special", "::/8", "64:ff9b::/96", { takes: "64:ff9b::1" }),
  address("subnet", "an address outside the grant", "192.168.1.1/24", { takes: "192.168.1.7" }),
  address("subnet", "an address whose network reaches out of the grant", "10.64.0.1/24", {
    limits: { subnets: ["10.64.0.0/25"] },
    takes: "10.64.0.200",
  }),
  route("subnet", "somebody's server", "198.51.100.1/32", { host: LAN, takes: "198.51.100.1" }),
  route("subnet", "somebody's IPv6 network", "2001:db8::/48", { takes: "2001:db8::1" }),
  address("host-address", "the machine's own address", "10.64.5.2/32", { host: LAN }),
  address("host-address", "a network around the machine's address", "10.64.4.1/22", { host: LAN }),
  address("host-address", "a network around the machine's IPv6 address", "fd64:0:5::1/48", { host: LAN }),
  address("host-route", "ARP answered for the gateway on the machine's card", "10.64.5.1/32", {
    host: LAN,
    takes: "10.64.5.1",
  }),
  address("host-route", "the gateway of a route without a network", "10.70.0.1/24", {
    host: [
      ...LAN,
      { op: "addAddress", name: "wire0", address: "10.71.0.9/24" },
      { op: "addAddress", name: "wire0", address: "10.70.0.9/24" },
      { op: "addRoute", destination: "192.0.2.0/24", via: "10.70.0.1", dev: "wire0" },
      { op: "deleteAddress", name: "wire0", address: "10.70.0.9/24" },
    ],
  }),
  route("host-route", "a neighbour of the machine's", "10.64.5.77/32", { host: LAN, takes: "10.64.5.77" }),
  route("host-route", "a part of a network the machine routes", "10.96.7.0/24", { host: LAN, takes: "10.96.7.1" }),
  route("host-route", "an IPv6 neighbour of the machine's", "fd64:0:5::7/128", { host: LAN, takes: "fd64:0:5::7" }),
  address("resolver", "the machine's name server", "10.80.0.53/24", {
    host: LAN,
    resolvers: ["10.80.0.53"],
    takes: "10.80.0.53",
  }),
  route("resolver", "a route to the machine's name server", "10.80.0.0/16", {
    host: LAN,
    resolvers: ["10.80.0.53"],
    takes: "10.80.0.53",
  }),
  {
    rule: "via",
    what: "a gateway beyond the link's own networks",
    host: LAN,
    first: [BRIDGE, UP, ["addAddress", "bh-b", "10.65.0.1/24"]],
    ask: ["addRoute", { destination: "10.66.0.0/24", via: "10.64.5.1", dev: "bh-b" }],
    shows: '"10.64.5.1"',
  },
  ...(
    [
      ["address", "::ffff:10.65.0.7"],
      ["address", "fe80::1%eth0"],
      ["address", "10.65.0.7 onlink"],
      ["via", "10.65.0.1"],
      ["special", "127.0.0.1"],
    ] as const
  ).map(
    ([rule, via]): Attack => ({
      rule,
      what: `the gateway ${JSON.stringify(via)}`,
      first: [BRIDGE, UP, ["addAddress", "bh-b", "10.65.0.1/24"]],
      ask: ["addRoute", { destination: "10.66.0.0/24", via, dev: "bh-b" }],
      shows: via.split(" ")[0] ?? "",
    }),
  ),
  {
    rule: "via",
    what: "a gateway of the other family",
    first: [BRIDGE, UP, ["addAddress", "bh-b", "fd64::1/64"]],
    ask: ["addRoute", { destination: "10.66.0.0/24", via: "fd64::7", dev: "bh-b" }],
    shows: '"fd64::7"',
  },
  remote("fields", "another tunnel for one remote", { vni: 300 } as object, '"vni"'),
  remote("shape", "no route", { routes: [] }, "routes"),
  remote("shape", "a name for routes", { routes: "10.0.0.0/8" } as object, "routes"),
  remote("remote", "a host outside the grant", { host: "198.51.100.1" }, "198.51.100.1", {
    works: [{ op: "setForward", name: "bh-x", mac: HOST.mac, host: "198.51.100.1" }],
  }),
  remote("remote", "a host where none is granted", { host: "127.0.0.1" }, "127.0.0.1"),
  ...(["224.0.0.5", "169.254.1.1", "0.0.0.0"] as const).map((host) =>
    remote("remote", `the host ${host}`, { host }, host, {
      limits: { ...TUNNELS, remotes: ["192.0.2.0/24", "224.0.0.0/4", "169.254.0.0/16", "0.0.0.0/8"] },
    }),
  ),
  remote("mac", "a multicast MAC of a remote", { mac: "01:00:5e:00:00:05" }, "01:00:5e:00:00:05"),
  remote("mac", "the MAC for unknown destinations", { mac: "00:00:00:00:00:00" }, "00:00:00:00:00:00"),
  remote("host-mac", "the machine's MAC of a remote", { mac: "02:aa:00:00:00:01" }, "02:aa:00:00:00:01"),
  remote("address", "a network that is not one", routed("10.65.2.0/24 onlink", "10.65.2.0"), "onlink"),
  remote("default-route", "everything to a remote", routed("0.0.0.0/0", "10.65.2.0"), "0.0.0.0/0", {
    works: [{ op: "setRoute", name: "bh-x", destination: "0.0.0.0/0", via: "10.65.2.0" }],
    takes: "203.0.113.1",
  }),
  remote("width", "a wide network to a remote", routed("8.0.0.0/7", "8.0.0.0"), "8.0.0.0/7"),
  remote("special", "link-local addresses to a remote", routed("169.254.0.0/16", "169.254.0.0"), "169.254.0.0/16"),
  remote("subnet", "others' addresses to a remote", routed("203.0.113.0/24", "203.0.113.0"), "203.0.113.0/24", {
    works: [{ op: "setRoute", name: "bh-x", destination: "203.0.113.0/24", via: "203.0.113.0" }],
    takes: "203.0.113.1",
  }),
  remote("host-address", "the machine's network to a remote", routed("10.64.5.0/24", "10.64.5.0"), "10.64.5.2", {
    host: [...UNDERLAY, ...LAN.slice(CARD.length)],
  }),
  remote(
    "host-route",
    "a network the machine routes to a remote",
    routed("10.96.0.0/16", "10.96.0.0"),
    "10.96.0.0/16",
    {
      host: [...UNDERLAY, ...LAN.slice(CARD.length)],
      works: [{ op: "setRoute", name: "bh-x", destination: "10.96.0.0/16", via: "10.96.0.0" }],
      takes: "10.96.0.1",
    },
  ),
  remote("via", "a gateway elsewhere", routed("10.65.2.0/24", "10.65.3.0"), "10.65.3.0"),
  remote("mtu", "an IPv6 network through a narrow link", routed("fd64:0:2::/64", "fd64:0:2::"), "1280", {
    first: [
      ["createLink", { ...OVERLAY, mtu: 1000 }],
      ["setLink", "bh-x", { up: true }],
    ],
  }),
  remote("own", "a remote of another's link", {}, '"bh-other"', {
    host: [...UNDERLAY, ...OTHERS],
    ask: ["setRemote", "bh-other", HOST],
  }),
  remote("remote-link", "a remote of a bridge", {}, '"bh-b"', {
    first: [BRIDGE, UP],
    ask: ["setRemote", "bh-b", HOST],
  }),
  remote("remote-link", "a second end of a tunnel with one", {}, "192.0.2.7", {
    first: [
      ["createLink", TUNNEL],
      ["setLink", "bh-x", { up: true }],
    ],
    works: [{ op: "setForward", name: "bh-x", mac: HOST.mac, host: HOST.host }],
  }),
  remote("remote-link", "a remote of a link that is down", {}, "down", { first: [["createLink", OVERLAY]] }),
  remote("remote-host", "this machine as a remote", { host: "192.0.2.1" }, "eth0"),
  remote("remote-host", "a remote of the other family", { host: "fd99::1" }, "family", {
    limits: { ...TUNNELS, remotes: ["fd99::/64"] },
  }),
  remote(
    "remote-overlap",
    "a part of another remote's network",
    { host: "192.0.2.3", mac: "02:42:0a:40:00:03" },
    "192.0.2.2",
    {
      first: [...OVERLAY_UP, ["setRemote", "bh-x", HOST]],
      works: [{ op: "setRoute", name: "bh-x", destination: "10.65.2.0/24", via: "10.65.2.9" }],
      takes: "10.65.2.1",
    },
  ),
  remote(
    "remote-overlap",
    "another remote's MAC",
    { host: "192.0.2.3", ...routed("10.65.3.0/24", "10.65.3.0") },
    HOST.mac,
    {
      first: [...OVERLAY_UP, ["setRemote", "bh-x", HOST]],
      works: [{ op: "setForward", name: "bh-x", mac: HOST.mac, host: "192.0.2.3" }],
    },
  ),
  remote("remote-overlap", "one's own address", routed("10.65.0.0/16", "10.65.2.0"), "10.65.1.0"),
  remote("remote-overlap", "a remote inside its own tunnel", { host: "10.65.2.9" }, "10.65.2.9", {
    limits: { ...TUNNELS, remotes: ["10.65.2.0/24"] },
  }),
  {
    rule: "local",
    what: "another host's address as the sender",
    limits: TUNNELS,
    host: UNDERLAY,
    ask: ["createLink", { ...OVERLAY, local: "192.0.2.9" }],
    shows: "192.0.2.9",
    works: [{ op: "add", link: { ...OVERLAY, local: "192.0.2.9" } }],
  },
  {
    rule: "local",
    what: "a local address and a remote",
    limits: TUNNELS,
    host: UNDERLAY,
    ask: ["createLink", { ...OVERLAY, remote: "192.0.2.7" }],
    shows: "remote",
  },
];

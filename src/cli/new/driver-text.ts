/** The driver that `bulkhead new` writes: one text for both languages, and for every set of permissions. */
import type { PermissionName } from "../../permissions/catalogue.js";

/** What is to be written. */
export interface NewDriver {
  /** The plugin's id, and its network type. */
  readonly id: string;
  readonly typescript: boolean;
  /** The permissions that the driver uses; with `netlink`, `store` is one of them. */
  readonly uses: ReadonlySet<PermissionName>;
}

/** Text between these is for TypeScript alone. */
const TYPED = /«([^»]*)»/g;

/** Keeps or drops what is for TypeScript alone, drops lines that are absent, and leaves no two blank lines. */
export function written(lines: readonly (string | false)[], typescript: boolean): string {
  const text = lines.filter((line) => line !== false).join("\n");
  return `${text.replaceAll(TYPED, typescript ? "$1" : "").replaceAll(/\n{3,}/g, "\n\n")}\n`;
}

/** Powers that are members of `init`'s second argument, in the order in which they are named. */
const MEMBERS = [
  "random",
  "store",
  "netlink",
  "firewall",
  "resolver",
  "traffic",
  "cluster",
] as const satisfies readonly PermissionName[];

/** Returns the text of `index.js` or `index.ts`. */
export function driverText({ id, typescript, uses }: NewDriver): string {
  const has = (name: PermissionName): boolean => uses.has(name);
  const links = has("netlink");
  const powers = MEMBERS.filter(has);
  const extension = typescript ? "ts" : "js";
  return written(
    [
      `/** The network driver "${id}". After a restart the host repeats what was accepted, and the Maps fill again. */`,
      `import { «${has("firewall") || has("traffic") ? "type CallContext, " : ""}type Driver, type DriverCallback, »fail, LocalScope${powers.length > 0 ? "«, type Powers»" : ""} } from "bulkhead/plugin";`,
      "import {",
      links && "  endpointKey,",
      "  freeAddresses,",
      links && "  LinkNames,",
      "  macFor,",
      "  Pool,",
      "  parseSubnet,",
      "  readSubnets,",
      links && "  refuseOverlap,",
      "«  type TakenInterface,",
      "»  takeAddresses,",
      '} from "bulkhead/plugin/addressing";',
      links && `import { Links } from "./links.${extension}";`,
      "",
      "«interface Network {",
      links && "  readonly nid: string;",
      "  readonly pools: readonly Pool[];",
      `  readonly endpoints: Map<string, ${links ? "Endpoint" : "TakenInterface"}>;`,
      links && "  bridge: string;",
      has("clock") && "  readonly since: string;",
      "}",
      "",
      links && "interface Endpoint extends TakenInterface {",
      links && "  /** The end of the veth pair that is on the bridge, and the one for the container. */",
      links && "  readonly link: string;",
      links && "  readonly peer: string;",
      links && "}",
      "",
      "»/** The subnet of a network that is created without one. */",
      `const DEFAULT_SUBNET = "${links ? "10.64.0.0/24" : "10.50.0.0/24"}";`,
      links && "/** Letters in the names of links: a bridge; the two ends of a veth pair. */",
      links && 'const BRIDGE = ["b"];',
      links && 'const PAIR = ["h", "c"];',
      "",
      powers.length === 0
        ? "export async function init(callback«: DriverCallback»)«: Promise<void>» {"
        : `export async function init(callback«: DriverCallback», powers«: Powers<${powers.map((name) => `"${name}"`).join(" | ")}>»)«: Promise<void>» {`,
      "  const networks = new Map«<string, Network>»();",
      links && "  const links = new Links(powers.netlink);",
      links && "  const names = await LinkNames.open(powers.netlink.prefix, powers.store);",
      "",
      "  const network = (nid«: string»)«: Network» =>",
      '    networks.get(nid) ?? fail("ERR_NETWORK_NOT_FOUND", `network ${nid} does not exist`);',
      `  const endpoint = (nid«: string», eid«: string»)«: ${links ? "Endpoint" : "TakenInterface"}» =>`,
      '    network(nid).endpoints.get(eid) ?? fail("ERR_ENDPOINT_NOT_FOUND", `endpoint ${eid} does not exist`);',
      "",
      ...(has("firewall") ? OPEN_GATES : []),
      ...(has("resolver") ? SERVE_NAMES : []),
      ...(has("traffic") ? SHAPE_LINK : []),
      "  const driver«: Driver» = {",
      `    type: () => "${id}",`,
      "    config() {},",
      "",
      ...(links ? linkedMethods(uses) : plainMethods(uses)),
      "    leave(nid, eid) {",
      "      endpoint(nid, eid);",
      "    },",
      "  };",
      "",
      has("store") && !links && "  // The store outlives a restart: a key with the number of starts so far.",
      has("store") && !links && '  const starts = Number((await powers.store.get("starts")) ?? 0) + 1;',
      has("store") && !links && '  await powers.store.set("starts", starts);',
      has("random") && "  // Four random bytes tell the workers of two starts apart.",
      has("random") &&
        '  const worker = Array.from(powers.random.bytes(4), (byte) => byte.toString(16).padStart(2, "0")).join("");',
      has("cluster") && "  // A lease tells the drivers of other hosts that this one is alive.",
      has("cluster") && '  await powers.cluster.lease("driver", {});',
      `  await callback.registerDriver("${id}", driver, { scope: LocalScope });`,
      has("timers") && "  setInterval(() => console.log(`networks: ${networks.size}`), 60_000);",
      `  console.log(${readyText(id, uses)});`,
      "}",
    ],
    typescript,
  );
}

function readyText(id: string, uses: ReadonlySet<PermissionName>): string {
  const start = uses.has("store") && !uses.has("netlink") ? [", start ${starts}"] : [];
  const worker = uses.has("random") ? [", worker ${worker}"] : [];
  const more = [...start, ...worker].join("");
  return more === "" ? `"${id} is ready"` : `\`${id} is ready${more}\``;
}

const SUBNETS = [
  "      const given = readSubnets(options); // an engine's pools, or those of `--opt subnet=…`",
  "      const subnets = given.length > 0 ? given : [parseSubnet(DEFAULT_SUBNET)];",
];
const DUPLICATE_NETWORK = '      if (networks.has(nid)) fail("ERR_NETWORK_EXISTS", `network ${nid} exists already`);';
const DUPLICATE_ENDPOINT =
  '      if (on.endpoints.has(eid)) fail("ERR_ENDPOINT_EXISTS", `endpoint ${eid} exists already`);';
const IN_USE = '      if (endpoints.size > 0) fail("ERR_NETWORK_IN_USE", `network ${nid} has endpoints`);';
const OPEN_GATES = [
  "  const openGates = async (bridge«: string», subnets«: readonly string[]», ctx«: CallContext») => {",
  "    try {",
  "      await powers.firewall.isolate({ bridge }); // from the driver's other bridges",
  "      for (const subnet of subnets) await powers.firewall.masquerade({ bridge, subnet }); // the way out",
  "    } catch (error) {",
  "      // In a replay the bridge may carry traffic: it stays.",
  "      if (!ctx.replay) await links.remove(bridge).catch(() => {});",
  "      throw error;",
  "    }",
  "  };",
  "",
];
const SERVE_NAMES = [
  "  // The names of a bridge's containers: parse `message` to decide, or pass it on as here.",
  "  const serveNames = (bridge«: string», ip«: string») =>",
  "    powers.resolver.listen({ bridge, ip }, async ({ message }) => {",
  "      const [upstream] = powers.resolver.upstreams;",
  "      return upstream === undefined ? undefined : powers.resolver.ask(upstream, message);",
  "    });",
  "",
];
const SHAPE_LINK = [
  "  const shapeLink = async (link«: string», rate«: string», ctx«: CallContext») => {",
  "    try {",
  "      await powers.traffic.shape(link, { rate }); // in each direction",
  "    } catch (error) {",
  "      if (!ctx.replay) await links.remove(link).catch(() => {});",
  "      throw error;",
  "    }",
  "  };",
  "",
];
const SINCE = "since: new Date().toISOString()";

function joinMethod(names: string): readonly string[] {
  return [
    "    join(nid, eid, _sandbox, joinInfo) {",
    ...names.split("\n"),
    "      for (const { subnet, gateway } of network(nid).pools) {",
    "        if (subnet.family === 4) joinInfo.setGateway(gateway);",
    "        else joinInfo.setGatewayIPv6(gateway);",
    "      }",
    "    },",
  ];
}

/** Methods of a driver that hands out addresses and makes no links. */
function plainMethods(uses: ReadonlySet<PermissionName>): readonly (string | false)[] {
  const clock = uses.has("clock");
  return [
    "    createNetwork(nid, options) {",
    DUPLICATE_NETWORK,
    ...SUBNETS,
    "      const pools = subnets.map((subnet) => new Pool(subnet));",
    `      networks.set(nid, { pools, endpoints: new Map()${clock ? `, ${SINCE}` : ""} });`,
    "      console.log(`network ${nid} is created`);",
    "    },",
    "    deleteNetwork(nid) {",
    "      const { endpoints } = network(nid);",
    IN_USE,
    "      networks.delete(nid);",
    "    },",
    "",
    "    createEndpoint(nid, eid, epInfo) {",
    "      const on = network(nid);",
    DUPLICATE_ENDPOINT,
    "      const taken = takeAddresses(on.pools, epInfo); // the addresses it was given, or free ones",
    "      if (!taken.given) epInfo.addInterface(taken.id, macFor(taken.ipv4, eid), taken.ipv4, taken.ipv6);",
    "      on.endpoints.set(eid, taken);",
    "    },",
    "    deleteEndpoint(nid, eid) {",
    "      freeAddresses(network(nid).pools, endpoint(nid, eid));",
    "      network(nid).endpoints.delete(eid);",
    "    },",
    "    endpointOperInfo(nid, eid) {",
    "      const { ipv4, ipv6 } = endpoint(nid, eid);",
    `      return { ipv4, ipv6${clock ? ", since: network(nid).since" : ""} };`,
    "    },",
    "",
    ...joinMethod(
      "      endpoint(nid, eid);\n" +
        "      // A driver that makes links names them here: joinInfo.interfaceNames(), setNames.",
    ),
  ];
}

/** Methods of a driver with a bridge for each network and a veth pair for each endpoint. */
function linkedMethods(uses: ReadonlySet<PermissionName>): readonly (string | false)[] {
  const [clock, firewall, traffic] = [uses.has("clock"), uses.has("firewall"), uses.has("traffic")];
  const resolver = uses.has("resolver");
  return [
    "    async createNetwork(nid, options, ctx) {",
    DUPLICATE_NETWORK,
    ...SUBNETS,
    "      refuseOverlap(nid, subnets, networks.values());",
    "      const pools = subnets.map((subnet) => new Pool(subnet));",
    `      const on«: Network» = { nid, pools, endpoints: new Map(), bridge: ""${clock ? `, ${SINCE}` : ""} };`,
    "      // Taken before the first await, since other calls may come meanwhile.",
    "      networks.set(nid, on);",
    "      try {",
    '        [on.bridge = ""] = await names.take(nid, BRIDGE);',
    "        const addresses = pools.map((pool) => pool.gatewayCIDR);",
    "        await links.makeBridge(on.bridge, addresses, ctx);",
    firewall && "        const texts = subnets.map(({ text }) => text);",
    firewall && "        await openGates(on.bridge, texts, ctx);",
    resolver && "        for (const pool of pools) await serveNames(on.bridge, pool.gateway);",
    "      } catch (error) {",
    "        networks.delete(nid);",
    "        names.release([on.bridge]);",
    "        throw error;",
    "      }",
    "      console.log(`network ${nid} has the bridge ${on.bridge}`);",
    "    },",
    "    async deleteNetwork(nid) {",
    "      // Asked for a network that it does not know, it removes what an earlier worker left of one.",
    "      if (!networks.has(nid)) await links.removeOrphans(names.leftBy(nid, BRIDGE));",
    `      const { bridge, endpoints${resolver ? ", pools" : ""} } = network(nid);`,
    IN_USE,
    resolver && "      for (const pool of pools) await powers.resolver.stop({ ip: pool.gateway });",
    "      await links.remove(bridge);",
    "      networks.delete(nid);",
    "      await names.forget(nid, [bridge]);",
    "    },",
    "",
    `    async createEndpoint(nid, eid, epInfo, ${traffic ? "options" : "_options"}, ctx) {`,
    "      const on = network(nid);",
    DUPLICATE_ENDPOINT,
    "      const taken = takeAddresses(on.pools, epInfo); // the addresses it was given, or free ones",
    "      const key = endpointKey(nid, eid);",
    '      let [link, peer] = ["", ""];',
    "      try {",
    '        [link = "", peer = ""] = await names.take(key, PAIR);',
    "        const mac = taken.mac || macFor(taken.ipv4, taken.ipv6 || key);",
    "        await links.makePair({ name: link, peer, peerMac: mac }, on.bridge, ctx);",
    traffic && "        // As `docker network connect --driver-opt rate=20mbit` gives it.",
    traffic && '        if (typeof options.rate === "string") await shapeLink(link, options.rate, ctx);',
    "        if (!taken.given) epInfo.addInterface(taken.id, mac, taken.ipv4, taken.ipv6);",
    "      } catch (error) {",
    "        freeAddresses(on.pools, taken);",
    "        names.release([link, peer]);",
    "        throw error;",
    "      }",
    "      on.endpoints.set(eid, { ...taken, link, peer });",
    "    },",
    "    async deleteEndpoint(nid, eid) {",
    "      const key = endpointKey(nid, eid);",
    "      if (!networks.get(nid)?.endpoints.has(eid)) await links.removeOrphans(names.leftBy(key, PAIR).slice(0, 1));",
    "      const one = endpoint(nid, eid);",
    "      await links.remove(one.link);",
    "      network(nid).endpoints.delete(eid);",
    "      freeAddresses(network(nid).pools, one);",
    "      await names.forget(key, [one.link, one.peer]);",
    "    },",
    "    endpointOperInfo(nid, eid) {",
    "      const { ipv4, ipv6, link, peer } = endpoint(nid, eid);",
    `      return { ipv4, ipv6, link, peer, bridge: network(nid).bridge${clock ? ", since: network(nid).since" : ""} };`,
    "    },",
    "",
    ...joinMethod(
      "      const { id, peer } = endpoint(nid, eid);\n" +
        '      for (const one of joinInfo.interfaceNames()) if (one.id() === id) one.setNames(peer, "eth");',
    ),
  ];
}

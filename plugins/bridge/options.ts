/** Reads a network's options and the driver's configuration. `egress` repeats parts: a plugin loads only files of its own folder. */
import { fail, type Json, type JsonObject, quote, type TrafficShape } from "bulkhead/plugin";
import {
  genericOptions,
  readNetworkShape,
  readSubnets,
  SHAPE_OPTIONS,
  SUBNET_KEYS,
  type Subnet,
} from "bulkhead/plugin/addressing";
import type { NetworkRuleOptions } from "./network-rules.ts";
import { hostOf } from "./ports.ts";

/** A network as its options ask for it. */
export interface NetworkOptions {
  readonly subnets: readonly Subnet[];
  /** In bytes. Undefined: as configured. */
  readonly mtu: number | undefined;
  readonly rules: NetworkRuleOptions;
  /** Of its endpoints that name none. */
  readonly shape: TrafficShape;
  /** The host address that ports are published on by default; "": all. */
  readonly hostIP: string;
  /** The beginning of an interface's name in its sandbox; a number follows. */
  readonly interfacePrefix: string;
}

const DOCKER_MTU = "com.docker.network.driver.mtu";

const BRIDGE = "com.docker.network.bridge.";
const MASQUERADE = `${BRIDGE}enable_ip_masquerade`;
const HOST_BINDING = `${BRIDGE}host_binding_ipv4`;
const IFACE_PREFIX = "com.docker.network.container_iface_prefix";
const INTERNAL = "com.docker.network.internal";

/** An option of Docker's own bridge driver. */
interface DockerOption {
  readonly name: string;
  /** What it does here. */
  readonly here: string;
  /** The supported values; absent: all. An empty value always is. */
  readonly only?: readonly string[];
  /** Why other values are not supported. */
  readonly why?: string;
}

const MODES = {
  only: ["nat"],
  why: "`routed` and `nat-unprotected` let other hosts reach containers past the published ports, and `isolated` takes the gateway off the bridge: here published ports are the way in, and `--internal` closes a network",
};

/** Docker's options for a bridge. README has the same table. */
export const DOCKER_OPTIONS: readonly DockerOption[] = [
  { name: DOCKER_MTU, here: "the MTU in bytes, 68 to 9216; from 1280 on where there is IPv6" },
  {
    name: IFACE_PREFIX,
    here: "the beginning of the interface's name in the container: letters and digits, at most 12",
  },
  { name: MASQUERADE, here: "`false`: nothing is masqueraded" },
  { name: HOST_BINDING, here: "the machine's address that ports are published on where `-p` names none" },
  { name: `${BRIDGE}gateway_mode_ipv4`, here: "`nat` is accepted; it always applies", ...MODES },
  { name: `${BRIDGE}gateway_mode_ipv6`, here: "`nat` is accepted; it always applies", ...MODES },
  {
    name: `${BRIDGE}name`,
    here: "not supported",
    only: [],
    why: "the driver makes the names of links: the plugin's granted prefix, which marks its links, and a hash",
  },
  {
    name: `${BRIDGE}enable_icc`,
    here: "`true` is accepted; it always applies",
    only: ["true", "1"],
    why: "containers of one network reach each other; the `netlink` permission has no isolated ports, so put those that must not into networks of their own",
  },
  {
    name: `${BRIDGE}inhibit_ipv4`,
    here: "`false` is accepted; it always applies",
    only: ["false", "0"],
    why: "the bridge has the gateway's address; for a network without outside access, use `--internal`",
  },
  {
    name: `${BRIDGE}trusted_host_interfaces`,
    here: "not supported",
    only: [],
    why: "containers are reached from outside by published ports alone, on every interface",
  },
  {
    name: `${BRIDGE}default_bridge`,
    here: "`false` is accepted; it always applies",
    only: ["false", "0"],
    why: "there is no default bridge",
  },
];

const KEYS = [
  ...SUBNET_KEYS,
  "mtu",
  ...SHAPE_OPTIONS,
  ...DOCKER_OPTIONS.filter(({ only }) => only === undefined).map(({ name }) => name),
];

/** Reads the options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject): NetworkOptions {
  const generic = genericOptions(options);
  for (const [key, value] of Object.entries(generic)) {
    const option = DOCKER_OPTIONS.find(({ name }) => name === key);
    if (option) refuseOther(option, value);
    else if (!KEYS.includes(key)) fail("BadRequest", `unknown option ${quote(key)}; there are ${KEYS.join(", ")}`);
  }
  const subnets = readSubnets(options);
  const mtu = readMtu("mtu", generic.mtu) ?? readMtu(DOCKER_MTU, generic[DOCKER_MTU] ?? options[DOCKER_MTU]);
  const six = subnets.find(({ family }) => family === 6);
  if (mtu !== undefined && mtu < MTU.leastIPv6 && six)
    fail(
      "BadRequest",
      `invalid MTU: ${mtu} is below ${MTU.leastIPv6}, which IPv6 needs, and the network has the subnet ${six.text}`,
    );
  return {
    subnets,
    mtu,
    rules: {
      internal: readSwitch(INTERNAL, options[INTERNAL]) ?? false,
      masquerade: readSwitch(MASQUERADE, generic[MASQUERADE]),
    },
    shape: readNetworkShape(options),
    hostIP: hostOf(generic[HOST_BINDING]) ?? "",
    interfacePrefix: readInterfacePrefix(generic[IFACE_PREFIX] ?? options[IFACE_PREFIX]),
  };
}

function refuseOther({ name, only, why = "" }: DockerOption, value: Json): void {
  if (only === undefined || value === null || value === "" || only.includes(String(value))) return;
  fail("BadRequest", `option ${name} cannot be ${quote(value)} here: ${why.replaceAll("`", "")}`);
}

/** In bytes: a link's name has at most 15, and the platform appends a number. */
const PREFIX_BYTES = 12;

function readInterfacePrefix(value: Json | undefined): string {
  if (value === undefined || value === null || value === "") return "eth";
  if (typeof value === "string" && /^[A-Za-z0-9]+$/.test(value) && value.length <= PREFIX_BYTES) return value;
  return fail(
    "BadRequest",
    `option ${IFACE_PREFIX} ${quote(value)} must be letters and digits, at most ${PREFIX_BYTES}`,
  );
}

/** Reads the driver's configuration: the MTU of networks that name none. Throws BadRequest. */
export function readConfig(options: JsonObject): number | undefined {
  return readMtu("mtu", genericOptions(options).mtu ?? options.mtu);
}

/** The bounds of the `netlink` permission, in bytes. */
const MTU = { least: 68, leastIPv6: 1280, most: 9216 } as const;

/** Reads a number, also as text: Docker's labels are text. */
function readMtu(key: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === "0") return undefined;
  const mtu = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof mtu === "number" && Number.isInteger(mtu) && mtu >= MTU.least && mtu <= MTU.most) return mtu;
  return fail(
    "BadRequest",
    `invalid MTU: ${key} ${quote(value)} must be a whole number from ${MTU.least} to ${MTU.most}`,
  );
}

/** Reads a boolean, also as text: Docker's labels are text. */
function readSwitch(key: string, value: Json | undefined): boolean | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (value === true || value === "true" || value === "1") return true;
  if (value === false || value === "false" || value === "0") return false;
  return fail("BadRequest", `option ${key} ${quote(value)} must be true or false`);
}

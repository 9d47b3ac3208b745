/** What a network's options and the driver's configuration may say. */
import { fail, type Json, type JsonObject, quote } from "bulkhead/plugin";
import { genericOptions, readSubnets, SUBNET_KEYS, type Subnet } from "bulkhead/plugin/addressing";
import type { NetworkRuleOptions } from "./network-rules.ts";
import { hostOf } from "./ports.ts";

/** A network as its options ask for it. */
export interface NetworkOptions {
  readonly subnets: readonly Subnet[];
  /** Bytes; undefined: as configured. */
  readonly mtu: number | undefined;
  readonly rules: NetworkRuleOptions;
  /** The host's address that ports are published on where nothing else is said; "": all. */
  readonly hostIP: string;
  /** How an endpoint's interface is called in its sandbox, without its number. */
  readonly interfacePrefix: string;
}

const DOCKER_MTU = "com.docker.network.driver.mtu";

const BRIDGE = "com.docker.network.bridge.";
const MASQUERADE = `${BRIDGE}enable_ip_masquerade`;
const HOST_BINDING = `${BRIDGE}host_binding_ipv4`;
const IFACE_PREFIX = "com.docker.network.container_iface_prefix";
const INTERNAL = "com.docker.network.internal";

/** One of the options that Docker's own bridge driver has. */
interface DockerOption {
  readonly name: string;
  /** What happens here. */
  readonly here: string;
  /** Its only values, where not every one can be had; an empty one always can. */
  readonly only?: readonly string[];
  /** Why not every value can be had. */
  readonly why?: string;
}

const MODES = {
  only: ["nat"],
  why: "`routed` and `nat-unprotected` let other hosts reach containers past the published ports, and `isolated` takes the gateway off the bridge: here published ports are the way in, and `--internal` closes a network",
};

/** Docker's options for a bridge, and what becomes of each: README has the same table. */
export const DOCKER_OPTIONS: readonly DockerOption[] = [
  { name: DOCKER_MTU, here: "the MTU in bytes, 68 to 9216; from 1280 on where there is IPv6" },
  {
    name: IFACE_PREFIX,
    here: "the beginning of the interface's name in the container: letters and digits, at most 12",
  },
  { name: MASQUERADE, here: "`false`: nothing is masqueraded" },
  { name: HOST_BINDING, here: "the machine's address that ports are published on where `-p` names none" },
  { name: `${BRIDGE}gateway_mode_ipv4`, here: "`nat`, which is so anyway", ...MODES },
  { name: `${BRIDGE}gateway_mode_ipv6`, here: "`nat`, which is so anyway", ...MODES },
  {
    name: `${BRIDGE}name`,
    here: "not supported",
    only: [],
    why: "a link's name begins with the plugin's granted prefix, by which its links are told from all others, and the driver makes the rest",
  },
  {
    name: `${BRIDGE}enable_icc`,
    here: "`true`, which is so anyway",
    only: ["true", "1"],
    why: "containers of one network reach each other; the `netlink` permission has no isolated ports, so put those that must not into networks of their own",
  },
  {
    name: `${BRIDGE}inhibit_ipv4`,
    here: "`false`, which is so anyway",
    only: ["false", "0"],
    why: "the bridge has the gateway's address; use `--internal` for a network without a way out",
  },
  {
    name: `${BRIDGE}trusted_host_interfaces`,
    here: "not supported",
    only: [],
    why: "containers are reached from outside by published ports alone, whichever interface packets come in by",
  },
  {
    name: `${BRIDGE}default_bridge`,
    here: "`false`, which is so anyway",
    only: ["false", "0"],
    why: "there is no default bridge",
  },
];

const KEYS = [
  ...SUBNET_KEYS,
  "mtu",
  ...DOCKER_OPTIONS.filter(({ only }) => only === undefined).map(({ name }) => name),
];

/** The options of `createNetwork`. Throws BadRequest. */
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
    hostIP: hostOf(generic[HOST_BINDING]) ?? "",
    interfacePrefix: readInterfacePrefix(generic[IFACE_PREFIX] ?? options[IFACE_PREFIX]),
  };
}

function refuseOther({ name, only, why = "" }: DockerOption, value: Json): void {
  if (only === undefined || value === null || value === "" || only.includes(String(value))) return;
  fail("BadRequest", `option ${name} cannot be ${quote(value)} here: ${why.replaceAll("`", "")}`);
}

/** Bytes: a link's name has 15, and the platform puts a number behind the prefix. */
const PREFIX_BYTES = 12;

function readInterfacePrefix(value: Json | undefined): string {
  if (value === undefined || value === null || value === "") return "eth";
  if (typeof value === "string" && /^[A-Za-z0-9]+$/.test(value) && value.length <= PREFIX_BYTES) return value;
  return fail(
    "BadRequest",
    `option ${IFACE_PREFIX} ${quote(value)} must be letters and digits, at most ${PREFIX_BYTES}`,
  );
}

/** The driver's own configuration: `mtu` of networks that name none. Throws BadRequest. */
export function readConfig(options: JsonObject): number | undefined {
  return readMtu("mtu", genericOptions(options).mtu ?? options.mtu);
}

/** What the `netlink` permission lets a link have, in bytes. */
const MTU = { least: 68, leastIPv6: 1280, most: 9216 } as const;

/** Docker's labels are text, so a number may be written as one. */
function readMtu(key: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === "0") return undefined;
  const mtu = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof mtu === "number" && Number.isInteger(mtu) && mtu >= MTU.least && mtu <= MTU.most) return mtu;
  return fail(
    "BadRequest",
    `invalid MTU: ${key} ${quote(value)} must be a whole number from ${MTU.least} to ${MTU.most}`,
  );
}

/** Docker's labels are text, so a switch may be written as one. */
function readSwitch(key: string, value: Json | undefined): boolean | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (value === true || value === "true" || value === "1") return true;
  if (value === false || value === "false" || value === "0") return false;
  return fail("BadRequest", `option ${key} ${quote(value)} must be true or false`);
}

/** Reads a network's options and the driver's configuration. */
import { fail, type Json, type JsonObject, quote } from "bulkhead/plugin";
import { formatAddress, genericOptions, parseAddress, readSubnets, type Subnet } from "bulkhead/plugin/addressing";
import type { Wish } from "./allocation.ts";
import { isName, LENGTHS, type SharedSubnet } from "./documents.ts";
import { OVERLAY } from "./limits.ts";

/** This host, as its operator describes it. */
export interface Config {
  /** Its name among the hosts. */
  readonly host: string;
  /** Its address in the network that carries the tunnels, and the link that has it. */
  readonly address: string;
  readonly parent: string;
  readonly firstVni: number;
  /** Hosts that are gone for good, whose prefixes are free. */
  readonly gone: readonly string[];
}

/** A network as its options ask for it. */
export interface NetworkOptions extends Wish {
  readonly internal: boolean;
}

const INTERNAL = "com.docker.network.internal";
const DOCKER_MTU = "com.docker.network.driver.mtu";
const KEYS = ["network", "subnet", "subnet6", "prefix", "prefix6", "mtu", DOCKER_MTU];
const CONFIG_KEYS = ["host", "address", "parent", "vni", "gone"];

/** Reads the options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject): NetworkOptions {
  const given = genericOptions(options);
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) fail("BadRequest", `unknown option ${quote(unknown)}; there are ${KEYS.join(", ")}`);
  const { network: name } = given;
  if (!isName(name))
    fail(
      "BadRequest",
      `option network ${quote(name)} must be the network's name on all hosts: at most ${OVERLAY.nameChars} of a-z 0-9 _ . -, as -o network=blue`,
    );
  const asked = readSubnets(options);
  const lengths = { 4: given.prefix, 6: given.prefix6 };
  for (const family of [4, 6] as const)
    if (isGiven(lengths[family]) && !asked.some((subnet) => subnet.family === family))
      fail("BadRequest", `option ${optionOf(family)} ${quote(lengths[family])} needs a subnet of IPv${family}`);
  const subnets = asked.map(
    (subnet): SharedSubnet => ({
      text: subnet.text,
      length: readLength(subnet, lengths[subnet.family]),
    }),
  );
  const mtu = readMtu(given.mtu ?? given[DOCKER_MTU] ?? options[DOCKER_MTU]);
  if (mtu !== undefined && mtu < OVERLAY.leastMtu6 && asked.some(({ family }) => family === 6))
    fail("BadRequest", `invalid MTU: ${mtu} is below ${OVERLAY.leastMtu6}, which IPv6 needs`);
  return { name, subnets, mtu, internal: options[INTERNAL] === true };
}

/** Reads the driver's options in the policy. Throws BadRequest. */
export function readConfig(options: JsonObject): Config {
  const unknown = Object.keys(options).find((key) => !CONFIG_KEYS.includes(key));
  if (unknown !== undefined)
    fail("BadRequest", `unknown driver option ${quote(unknown)}; there are ${CONFIG_KEYS.join(", ")}`);
  const { host, address: text, parent, vni, gone = [] } = options;
  if (!isName(host))
    fail(
      "BadRequest",
      `driver option host ${quote(host)} must be this host's name: at most ${OVERLAY.nameChars} of a-z 0-9 _ . -`,
    );
  const address = typeof text === "string" ? parseAddress(text) : undefined;
  if (!address)
    return fail(
      "BadRequest",
      `driver option address ${quote(text)} must be this host's address in the network that joins the hosts`,
    );
  if (typeof parent !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9._@-]{0,14}$/.test(parent))
    fail("BadRequest", `driver option parent ${quote(parent)} must name the link that has the address, such as "eth0"`);
  if (vni !== undefined && !(typeof vni === "number" && Number.isInteger(vni) && vni >= 1 && vni < 2 ** 24))
    fail("BadRequest", `driver option vni ${quote(vni)} must be the first vxlan identifier, a whole number from 1`);
  const names: readonly Json[] = Array.isArray(gone) ? gone : fail("BadRequest", "driver option gone must be a list");
  const odd = names.find((name) => !isName(name) || name === host);
  if (odd !== undefined)
    fail("BadRequest", `driver option gone: ${quote(odd)} ${odd === host ? "is this host" : "is not a host's name"}`);
  return {
    host,
    address: formatAddress(address),
    parent,
    firstVni: vni ?? OVERLAY.firstVni,
    gone: names as readonly string[],
  };
}

/**
 * Throws BadRequest for a change that cannot be applied. `known` is a network in which this machine has another name; `before` is the
 * configuration that networks in use were made with.
 */
export function refuseChange(
  next: Config,
  known: { readonly network: string; readonly as: string } | undefined,
  before: Config | undefined,
): void {
  if (known)
    fail(
      "BadRequest",
      `this host is ${quote(known.as)} in network ${quote(known.network)}: give it that name in the driver option host, not ${quote(next.host)}, until the network is deleted here`,
    );
  if (before && (next.address !== before.address || next.parent !== before.parent))
    fail("BadRequest", "address and parent change with a restart of the plugin, not while networks are in use");
}

/** The default length of a host's prefix, used only where the subnet's is shorter, so that there is room for several hosts. */
const DEFAULT_LENGTH = { 4: 24, 6: 64 } as const;

function readLength({ family, prefix, text }: Subnet, value: Json | undefined): number {
  const usual = DEFAULT_LENGTH[family];
  const given = isGiven(value) ? readNumber(value) : prefix < usual ? usual : undefined;
  const least = Math.min(prefix + OVERLAY.prefixBits, LENGTHS[family][1]);
  if (given !== undefined && given >= prefix && given <= least) return given;
  return fail(
    "BadRequest",
    `option ${optionOf(family)} ${quote(value)} must be the length of the prefix that each host has of ${text}: from ${prefix} to ${least}`,
  );
}

function optionOf(family: 4 | 6): string {
  return family === 4 ? "prefix" : "prefix6";
}

/** Reads an MTU, as a number or as text, since Docker's options are text. */
function readMtu(value: Json | undefined): number | undefined {
  if (!isGiven(value) || value === 0 || value === "0") return undefined;
  const mtu = readNumber(value);
  if (mtu !== undefined && mtu >= 68 && mtu <= 9216) return mtu;
  return fail("BadRequest", `invalid MTU: ${quote(value)} must be a whole number from 68 to 9216`);
}

function readNumber(value: Json | undefined): number | undefined {
  const number = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) ? number : undefined;
}

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

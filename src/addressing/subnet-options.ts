/** A network's subnets, read from the options of `createNetwork`. */
import { quote } from "../common/quote.js";
import { fail } from "../driverapi/fail.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { Family } from "./address.js";
import { parseSubnet, type Subnet } from "./subnet.js";

/** Docker passes a network's `--opt` values under this key. */
const GENERIC = "com.docker.network.generic";

/** The pools chosen by the platform's address management: `{ ipv4: [{ Pool, Gateway }], ipv6: […] }`. */
const IPAM = "com.docker.network.ipam";

/** The keys among a network's generic options that {@link readSubnets} reads. */
export const SUBNET_KEYS: readonly string[] = ["subnet", "gateway", "subnet6", "gateway6", "ipv4", "ipv6"];

/** Returns the options under `com.docker.network.generic`, or `{}`. Throws BadRequest if they are not an object. */
export function genericOptions(options: JsonObject): JsonObject {
  return objectAt(options, GENERIC);
}

/**
 * Returns a network's subnets, at most one of each family: the platform's pools, and the generic options `subnet`, `gateway`,
 * `subnet6`, `gateway6`, `ipv4` and `ipv6` for a family without one. Throws BadRequest for options that contradict each other.
 */
export function readSubnets(options: JsonObject): readonly Subnet[] {
  const own = ownSubnets(genericOptions(options));
  const ipam = objectAt(options, IPAM);
  const pools = present([pool("ipv4", ipam.ipv4, 4), pool("ipv6", ipam.ipv6, 6)]);
  for (const one of pools) {
    const other = own.find(({ family }) => family === one.family);
    if (other && (other.text !== one.text || other.gateway !== one.gateway))
      fail(
        "BadRequest",
        `the options give the subnet ${other.text}, and address management ${one.text}, or another gateway in it`,
      );
  }
  return [...pools, ...own.filter(({ family }) => !pools.some((one) => one.family === family))];
}

function ownSubnets({ subnet, gateway, subnet6, gateway6, ipv4, ipv6 }: JsonObject): readonly Subnet[] {
  const found = present([
    pair("subnet", subnet, gateway, undefined),
    pair("subnet6", subnet6, gateway6, 6),
    nested("ipv4", ipv4, 4),
    nested("ipv6", ipv6, 6),
  ]);
  for (const [index, one] of found.entries()) {
    const twice = found.slice(index + 1).find(({ family }) => family === one.family);
    if (twice)
      fail(
        "BadRequest",
        `the options give two IPv${one.family} subnets, ${one.text} and ${twice.text}; a network has one of each family`,
      );
  }
  return found;
}

function pool(key: string, value: Json | undefined, family: Family): Subnet | undefined {
  const list = value ?? [];
  if (!Array.isArray(list)) fail("BadRequest", `option ${IPAM}: ${key} must be a list, not ${quote(list)}`);
  const [first, another] = list as readonly Json[];
  if (another !== undefined)
    fail("BadRequest", `two pools of IPv${family} are given; a network has one subnet of each family`);
  if (first === undefined) return undefined;
  if (!isObject(first)) fail("BadRequest", `option ${IPAM}: ${key} must hold objects, not ${quote(first)}`);
  const { Pool: subnet, Gateway: gateway } = first;
  // Docker's null IPAM returns the whole address space: it manages nothing.
  if (subnet === "0.0.0.0/0" || subnet === "::/0") return undefined;
  return pair("subnet", subnet, gateway, family);
}

function nested(key: string, value: Json | undefined, family: Family): Subnet | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) fail("BadRequest", `${key} must be an object with subnet and gateway, not ${quote(value)}`);
  const { subnet, gateway, ...rest } = value;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) fail("BadRequest", `${key} has no key ${quote(unknown)}; there are subnet and gateway`);
  return pair(`${key}.subnet`, subnet, gateway, family);
}

function pair(
  name: string,
  subnet: Json | undefined,
  gateway: Json | undefined,
  family: Family | undefined,
): Subnet | undefined {
  if (isGiven(subnet)) return parseSubnet(subnet, { name, gateway, family });
  if (isGiven(gateway))
    fail("BadRequest", `${name.replace("subnet", "gateway")} ${quote(gateway)} needs a ${name} that it lies in`);
  return undefined;
}

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectAt(options: JsonObject, key: string): JsonObject {
  const value = options[key] ?? {};
  return isObject(value) ? value : fail("BadRequest", `option ${key} must be an object, not ${quote(value)}`);
}

function present<T>(list: readonly (T | undefined)[]): readonly T[] {
  return list.filter((one) => one !== undefined);
}

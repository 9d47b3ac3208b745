/** What a network's options and the driver's configuration may say. */
import type { Json, JsonObject } from "bulkhead/plugin";
import { badRequest, quote } from "./errors.ts";
import { readSubnets, SUBNET_KEYS, type Subnet } from "./subnets.ts";

/** A network as its options ask for it. */
export interface NetworkOptions {
  readonly subnets: readonly Subnet[];
  /** Bytes; undefined: as configured. */
  readonly mtu: number | undefined;
}

/** Under this key Docker passes on what came with `--opt`. */
const GENERIC = "com.docker.network.generic";
const DOCKER_MTU = "com.docker.network.driver.mtu";

/** Docker's labels of its own bridge driver: what each may say here, and why no more. */
const DOCKER_LABELS: Readonly<Record<string, readonly [only: string, why: string]>> = {
  "com.docker.network.bridge.name": ["", "the driver names its bridges itself"],
  "com.docker.network.bridge.enable_icc": ["true", "endpoints of one bridge reach each other"],
  "com.docker.network.bridge.enable_ip_masquerade": ["false", "it has no firewall's powers"],
  "com.docker.network.bridge.inhibit_ipv4": ["false", "the bridge has the gateway's address"],
  "com.docker.network.bridge.default_bridge": ["false", "there is no default bridge"],
};

const KEYS = [...SUBNET_KEYS, "mtu", DOCKER_MTU];

/** The options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject): NetworkOptions {
  const generic = objectAt(options, GENERIC);
  for (const [key, value] of Object.entries(generic)) {
    const label = DOCKER_LABELS[key];
    if (label && String(value) !== label[0]) badRequest(`option ${key} cannot be ${quote(value)} here: ${label[1]}`);
    if (!label && !KEYS.includes(key)) badRequest(`unknown option ${quote(key)}; there are ${KEYS.join(", ")}`);
  }
  return {
    subnets: readSubnets(generic),
    mtu: readMtu("mtu", generic.mtu) ?? readMtu(DOCKER_MTU, generic[DOCKER_MTU] ?? options[DOCKER_MTU]),
  };
}

/** The driver's own configuration: `mtu` of networks that name none. Throws BadRequest. */
export function readConfig(options: JsonObject): number | undefined {
  return readMtu("mtu", objectAt(options, GENERIC).mtu ?? options.mtu);
}

/** What the `netlink` permission lets a link have, in bytes. */
const MTU = { least: 1280, most: 9216 } as const;

/** Docker's labels are text, so a number may be written as one. */
function readMtu(key: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === "0") return undefined;
  const mtu = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof mtu === "number" && Number.isInteger(mtu) && mtu >= MTU.least && mtu <= MTU.most) return mtu;
  return badRequest(`invalid MTU: ${key} ${quote(value)} must be a whole number from ${MTU.least} to ${MTU.most}`);
}

function objectAt(options: JsonObject, key: string): JsonObject {
  const value = options[key] ?? {};
  if (typeof value !== "object" || Array.isArray(value))
    badRequest(`option ${key} must be an object, not ${quote(value)}`);
  return value as JsonObject;
}

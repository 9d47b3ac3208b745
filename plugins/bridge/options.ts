/** What a network's options and the driver's configuration may say. */
import type { Json, JsonObject } from "bulkhead/plugin";
import { badRequest, quote } from "./errors.ts";
import type { GateOptions } from "./gates.ts";
import { hostOf } from "./ports.ts";
import { readAllSubnets, SUBNET_KEYS, type Subnet } from "./subnets.ts";

/** A network as its options ask for it. */
export interface NetworkOptions {
  readonly subnets: readonly Subnet[];
  /** Bytes; undefined: as configured. */
  readonly mtu: number | undefined;
  readonly gates: GateOptions;
  /** The host's address that ports are published on where nothing else is said; "": all. */
  readonly hostIP: string;
}

/** Under this key Docker passes on what came with `--opt`. */
const GENERIC = "com.docker.network.generic";
const DOCKER_MTU = "com.docker.network.driver.mtu";

/** Docker's labels of its own bridge driver: what each may say here, and why no more. */
const DOCKER_LABELS: Readonly<Record<string, readonly [only: string, why: string]>> = {
  "com.docker.network.bridge.name": ["", "the driver names its bridges itself"],
  "com.docker.network.bridge.enable_icc": ["true", "endpoints of one bridge reach each other"],
  "com.docker.network.bridge.inhibit_ipv4": ["false", "the bridge has the gateway's address"],
  "com.docker.network.bridge.default_bridge": ["false", "there is no default bridge"],
};

const MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade";
const HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4";
const INTERNAL = "com.docker.network.internal";

const KEYS = [...SUBNET_KEYS, "mtu", DOCKER_MTU, MASQUERADE, HOST_BINDING];

/** The options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject): NetworkOptions {
  const generic = objectAt(options, GENERIC);
  for (const [key, value] of Object.entries(generic)) {
    const label = DOCKER_LABELS[key];
    if (label && String(value) !== label[0]) badRequest(`option ${key} cannot be ${quote(value)} here: ${label[1]}`);
    if (!label && !KEYS.includes(key)) badRequest(`unknown option ${quote(key)}; there are ${KEYS.join(", ")}`);
  }
  return {
    subnets: readAllSubnets(options, generic),
    mtu: readMtu("mtu", generic.mtu) ?? readMtu(DOCKER_MTU, generic[DOCKER_MTU] ?? options[DOCKER_MTU]),
    gates: {
      internal: readSwitch(INTERNAL, options[INTERNAL]) ?? false,
      masquerade: readSwitch(MASQUERADE, generic[MASQUERADE]),
    },
    hostIP: hostOf(generic[HOST_BINDING]) ?? "",
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

/** Docker's labels are text, so a switch may be written as one. */
function readSwitch(key: string, value: Json | undefined): boolean | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (value === true || value === "true" || value === "1") return true;
  if (value === false || value === "false" || value === "0") return false;
  return badRequest(`option ${key} ${quote(value)} must be true or false`);
}

function objectAt(options: JsonObject, key: string): JsonObject {
  const value = options[key] ?? {};
  if (typeof value !== "object" || Array.isArray(value))
    badRequest(`option ${key} must be an object, not ${quote(value)}`);
  return value as JsonObject;
}

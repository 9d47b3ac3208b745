/** Reads a network's options. */
import { fail, type Json, type JsonObject, quote } from "bulkhead/plugin";
import { genericOptions, readSubnets, SUBNET_KEYS, type Subnet } from "bulkhead/plugin/addressing";

/** "bridge": endpoints on one parent reach each other. "private": they do not. */
export const MODES = ["bridge", "private"] as const;
export type Mode = (typeof MODES)[number];

/** A network as its options ask for it. */
export interface NetworkOptions {
  /** The machine's link that the endpoints are on. */
  readonly parent: string;
  readonly mode: Mode;
  /** At most one of each family. */
  readonly subnets: readonly Subnet[];
  /** In bytes. Undefined: the parent's. */
  readonly mtu: number | undefined;
}

const INTERNAL = "com.docker.network.internal";
const DOCKER_MTU = "com.docker.network.driver.mtu";

const KEYS = ["parent", "macvlan_mode", "mode", ...SUBNET_KEYS, "mtu", DOCKER_MTU];

/** Reads the options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject): NetworkOptions {
  const given = genericOptions(options);
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) fail("BadRequest", `unknown option ${quote(unknown)}; there are ${KEYS.join(", ")}`);
  if (options[INTERNAL] === true)
    fail(
      "BadRequest",
      "a macvlan network cannot be internal: its endpoints are on the network of its parent, beside the machine",
    );
  return {
    parent: readParent(given.parent),
    mode: readMode(given.macvlan_mode ?? given.mode),
    subnets: readSubnets(options),
    mtu: readMtu(given.mtu ?? given[DOCKER_MTU] ?? options[DOCKER_MTU]),
  };
}

function readParent(value: Json | undefined): string {
  if (typeof value === "string" && /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,14}$/.test(value)) return value;
  return fail(
    "BadRequest",
    `option parent ${quote(value)} must name the link of the machine that endpoints are on, such as "eth0"`,
  );
}

function readMode(value: Json | undefined): Mode {
  const mode = value === undefined || value === null || value === "" ? "bridge" : value;
  const found = MODES.find((one) => one === mode);
  return (
    found ?? fail("BadRequest", `requested macvlan mode ${quote(value)} is not valid: use "${MODES.join('" or "')}"`)
  );
}

/** Reads a number, also as text: Docker's labels are text. */
function readMtu(value: Json | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === "0") return undefined;
  const mtu = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof mtu === "number" && Number.isInteger(mtu) && mtu >= 1280 && mtu <= 9216) return mtu;
  return fail("BadRequest", `invalid MTU: ${quote(value)} must be a whole number from 1280 to 9216`);
}

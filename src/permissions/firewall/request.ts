/** Turns a plugin's arguments into a request: known fields only, each of its type, addresses in canonical form. */

import { quote } from "../../common/quote.js";
import { parseDestination, parseIP } from "../../driverapi/addresses.js";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import { canonical, textIn, trueOrFalse, wholeNumber } from "../request-fields.js";
import { refused } from "./errors.js";
import type { FirewallRule } from "./rule.js";

/** The methods of `powers.firewall`. */
export const FIREWALL_OPS = [
  "masquerade",
  "publish",
  "isolate",
  "allow",
  "resolve",
  "connect",
  "withdraw",
  "rules",
  "refused",
] as const;
export type FirewallOp = (typeof FIREWALL_OPS)[number];

/** A request of the right shape, not yet checked against the grant. */
export type FirewallRequest =
  | { readonly op: Exclude<FirewallOp, ListingOp>; readonly rule: FirewallRule }
  | { readonly op: "rules" }
  | { readonly op: "refused" };

/** The methods that take no argument. */
type ListingOp = "rules" | "refused";

type Type = "text" | "number" | "switch" | "ip" | "network" | "target";
type Shape = Readonly<Record<string, readonly [type: Type, need: "needed" | "optional"]>>;

/** The fields of each kind of rule. */
const SHAPES: Readonly<Record<FirewallRule["kind"], Shape>> = {
  masquerade: { bridge: ["text", "needed"], subnet: ["network", "needed"] },
  publish: {
    bridge: ["text", "needed"],
    protocol: ["text", "needed"],
    hostIP: ["ip", "optional"],
    hostPort: ["number", "needed"],
    ip: ["ip", "needed"],
    port: ["number", "needed"],
  },
  isolate: { bridge: ["text", "needed"], internal: ["switch", "optional"], outgoing: ["text", "optional"] },
  allow: {
    bridge: ["text", "needed"],
    to: ["target", "needed"],
    protocol: ["text", "needed"],
    port: ["number", "needed"],
    lastPort: ["number", "optional"],
    seconds: ["number", "optional"],
  },
  resolve: { bridge: ["text", "needed"], ip: ["ip", "needed"] },
  connect: {
    bridge: ["text", "needed"],
    tunnel: ["text", "needed"],
    subnet: ["network", "needed"],
    network: ["network", "needed"],
  },
};

/**
 * Reads one request. Throws `ERR_FIREWALL_REFUSED`: rule `fields` for a field that does not exist, `shape` for one that is missing or of
 * the wrong type. Addresses that do not parse and unknown words are kept unchanged, for the rules to refuse.
 */
export function parseRequest(plugin: string, op: FirewallOp, args: readonly Json[]): FirewallRequest {
  if (op === "rules" || op === "refused") return { op };
  const given = args[0];
  const wrong = (why: string): Error => refused(plugin, op, "shape", why);
  if (given === undefined || !isJsonObject(given))
    throw wrong(`the rule must be an object, not ${quote(given ?? null)}`);

  const kind = op === "withdraw" ? (Object.hasOwn(given, "kind") ? given.kind : undefined) : op;
  if (typeof kind !== "string" || !Object.hasOwn(SHAPES, kind)) {
    throw wrong(`${quote(kind ?? null)} is not a kind of rule; use one of ${Object.keys(SHAPES).join(", ")}`);
  }
  const shape = SHAPES[kind as FirewallRule["kind"]];
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(shape, key) || key === "kind") continue;
    throw refused(
      plugin,
      op,
      "fields",
      `a rule has no field ${quote(key)}; there are ${Object.keys(shape).join(", ")}`,
    );
  }
  const read: Record<string, Json> = { kind };
  for (const [key, [type, need]] of Object.entries(shape)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value !== undefined && value !== null && !(key === "hostIP" && value === ""))
      read[key] = field(key, type, value, wrong);
    else if (need === "needed") throw wrong(`the rule needs the field ${key}`);
  }
  return { op, rule: read as unknown as FirewallRule };
}

function field(key: string, type: Type, value: Json, wrong: (why: string) => Error): Json {
  switch (type) {
    case "number":
      return wholeNumber(key, value, wrong);
    case "switch":
      return trueOrFalse(key, value, wrong);
    case "text":
      return textIn(key, value, wrong);
    default: {
      const text = textIn(key, value, wrong);
      return canonical(type === "network" || text.includes("/") ? parseDestination : parseIP, text);
    }
  }
}

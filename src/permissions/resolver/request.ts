/** Turns a plugin's arguments into a request: known fields only, each of its type. */
import { quote } from "../../common/quote.js";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import { refused } from "./errors.js";

/** The methods of `powers.resolver` that are judged. */
export const RESOLVER_OPS = ["listen", "stop", "ask"] as const;
export type ResolverOp = (typeof RESOLVER_OPS)[number];

/** A request of the right shape, not yet checked against the grant. */
export type ResolverRequest =
  | { readonly op: "listen"; readonly bridge: string; readonly ip: string }
  | { readonly op: "stop"; readonly ip: string }
  | { readonly op: "ask"; readonly server: string; readonly message: string; readonly tcp: boolean };

const SHAPES: Readonly<Record<ResolverOp, Readonly<Record<string, "string" | "boolean">>>> = {
  listen: { bridge: "string", ip: "string" },
  stop: { ip: "string" },
  ask: { server: "string", message: "string", tcp: "boolean" },
};

/** Reads one request. Throws `ERR_RESOLVER_REFUSED`: rule `fields` or `shape`. */
export function parseRequest(plugin: string, op: ResolverOp, args: readonly Json[]): ResolverRequest {
  const given = args[0];
  if (given === undefined || !isJsonObject(given))
    throw refused(plugin, op, "shape", `the request must be an object, not ${quote(given ?? null)}`);
  const shape = SHAPES[op];
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(shape, key)) continue;
    throw refused(plugin, op, "fields", `unknown field ${quote(key)}; the fields are ${Object.keys(shape).join(", ")}`);
  }
  const read: Record<string, Json> = { op };
  for (const [key, type] of Object.entries(shape)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (typeof value !== type)
      throw refused(plugin, op, "shape", `${key} must be a ${type}, not ${quote(value ?? null)}`);
    read[key] = value as Json;
  }
  return read as unknown as ResolverRequest;
}

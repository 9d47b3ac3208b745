/** Turns a plugin's arguments into a request: known fields only, each of its type. */
import type { Json } from "../../driverapi/json.js";
import { type FieldTypes, readFields } from "../request-fields.js";
import { refused } from "./errors.js";

/** The methods of `powers.resolver` that are judged. */
export const RESOLVER_OPS = ["listen", "stop", "ask"] as const;
export type ResolverOp = (typeof RESOLVER_OPS)[number];

/** A request of the right shape, not yet checked against the grant. */
export type ResolverRequest =
  | { readonly op: "listen"; readonly bridge: string; readonly ip: string }
  | { readonly op: "stop"; readonly ip: string }
  | { readonly op: "ask"; readonly server: string; readonly message: string; readonly tcp: boolean };

const SHAPES: Readonly<Record<ResolverOp, FieldTypes>> = {
  listen: { bridge: "string", ip: "string" },
  stop: { ip: "string" },
  ask: { server: "string", message: "string", tcp: "boolean" },
};

/** Reads one request. Throws `ERR_RESOLVER_REFUSED`: rule `fields` or `shape`. */
export function parseRequest(plugin: string, op: ResolverOp, args: readonly Json[]): ResolverRequest {
  const fields = readFields(args[0], SHAPES[op], (rule, why) => refused(plugin, op, rule, why));
  return { op, ...fields } as unknown as ResolverRequest;
}

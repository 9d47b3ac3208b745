/** Turns a plugin's arguments into a request: known fields only, each of its type. */
import { quote } from "../../common/quote.js";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import { refused } from "./errors.js";

/** The methods of `powers.cluster`. */
export const CLUSTER_OPS = ["get", "list", "create", "compareAndSet", "delete", "watch", "unwatch", "lease"] as const;
export type ClusterOp = (typeof CLUSTER_OPS)[number];

/** A request of the right shape, not yet checked against the grant. `text` is the JSON text of a value. */
export type ClusterRequest =
  | { readonly op: "get"; readonly key: string }
  | { readonly op: "list"; readonly prefix: string }
  | { readonly op: "create"; readonly key: string; readonly text: string }
  | { readonly op: "compareAndSet"; readonly key: string; readonly revision: number; readonly text: string }
  | { readonly op: "delete"; readonly key: string; readonly revision?: number }
  | {
      readonly op: "watch";
      readonly worker: string;
      readonly id: number;
      readonly prefix: string;
      readonly from?: number;
    }
  | { readonly op: "unwatch"; readonly worker: string; readonly id: number }
  | { readonly op: "lease"; readonly worker: string; readonly name: string; readonly text: string };

type FieldType = "string" | "number" | "number?" | "json";

const SHAPES: Readonly<Record<ClusterOp, Readonly<Record<string, FieldType>>>> = {
  get: { key: "string" },
  list: { prefix: "string" },
  create: { key: "string", value: "json" },
  compareAndSet: { key: "string", revision: "number", value: "json" },
  delete: { key: "string", revision: "number?" },
  watch: { worker: "string", id: "number", prefix: "string", from: "number?" },
  unwatch: { worker: "string", id: "number" },
  lease: { worker: "string", name: "string", value: "json" },
};

/** Reads one request, as `resolver/request.ts` does: field types, rules and error codes are each permission's own. Throws `ERR_CLUSTER_REFUSED`: rule `fields` or `shape`. */
export function parseRequest(plugin: string, op: ClusterOp, args: readonly Json[]): ClusterRequest {
  const given = args[0];
  if (given === undefined || !isJsonObject(given))
    throw refused(plugin, op, "shape", `the request must be an object, not ${quote(given ?? null)}`);
  const shape = SHAPES[op];
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(shape, key)) continue;
    throw refused(plugin, op, "fields", `unknown field ${quote(key)}; the fields are ${Object.keys(shape).join(", ")}`);
  }
  const read: Record<string, Json> = { op };
  for (const [name, type] of Object.entries(shape)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (type === "number?" && value === undefined) continue;
    if (type === "json" && value !== undefined) read.text = JSON.stringify(value);
    else if (value !== undefined && typeof value === type.replace("?", "")) read[name] = value;
    else throw refused(plugin, op, "shape", `${name} must be a ${type.replace("?", "")}, not ${quote(value ?? null)}`);
  }
  return read as unknown as ClusterRequest;
}

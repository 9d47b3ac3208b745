/** Turns a plugin's arguments into a request: known fields only, each of its type. */
import type { Json } from "../../driverapi/json.js";
import { type FieldTypes, readFields } from "../request-fields.js";
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

const SHAPES: Readonly<Record<ClusterOp, FieldTypes>> = {
  get: { key: "string" },
  list: { prefix: "string" },
  create: { key: "string", value: "json" },
  compareAndSet: { key: "string", revision: "number", value: "json" },
  delete: { key: "string", revision: "number?" },
  watch: { worker: "string", id: "number", prefix: "string", from: "number?" },
  unwatch: { worker: "string", id: "number" },
  lease: { worker: "string", name: "string", value: "json" },
};

/** Reads one request. Throws `ERR_CLUSTER_REFUSED`: rule `fields` or `shape`. */
export function parseRequest(plugin: string, op: ClusterOp, args: readonly Json[]): ClusterRequest {
  const { value, ...fields } = readFields(args[0], SHAPES[op], (rule, why) => refused(plugin, op, rule, why));
  const text = value === undefined ? {} : { text: JSON.stringify(value) };
  return { op, ...fields, ...text } as unknown as ClusterRequest;
}

/** Turns a plugin's arguments into a request: known fields only, each a text. */
import { quote } from "../../common/quote.js";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import { textIn } from "../request-fields.js";
import { refused } from "./errors.js";
import { SHAPE_FIELDS, type TrafficShape } from "./shape.js";

/** The methods of `powers.traffic`. */
export const TRAFFIC_OPS = ["shape", "check", "shapes"] as const;
export type TrafficOp = (typeof TRAFFIC_OPS)[number];

/** A request of the right form, not yet checked against the grant. */
export type TrafficRequest =
  | { readonly op: "shape"; readonly link: string; readonly shape: TrafficShape }
  | { readonly op: "check"; readonly shape: TrafficShape }
  | { readonly op: "shapes" };

/**
 * Reads one request. Throws `ERR_TRAFFIC_REFUSED`: rule `fields` for a field that does not exist, `form` for one of the wrong type.
 * Amounts that do not parse are kept unchanged, for the rules to refuse.
 */
export function parseRequest(plugin: string, op: TrafficOp, args: readonly Json[]): TrafficRequest {
  if (op === "shapes") return { op };
  if (op === "check") return { op, shape: readShape(plugin, op, args[0]) };
  const [link] = args;
  const name = textIn("the link", link, (why) => refused(plugin, op, "form", why));
  return { op, link: name, shape: readShape(plugin, op, args[1]) };
}

/** Copies the fields of a shape into a new object; null and absent ones are left out. */
function readShape(plugin: string, op: string, value: Json | undefined): TrafficShape {
  if (value === undefined || !isJsonObject(value))
    throw refused(plugin, op, "form", `the shape must be an object, not ${quote(value)}`);
  const odd = Object.keys(value).find((key) => !(SHAPE_FIELDS as readonly string[]).includes(key));
  if (odd !== undefined)
    throw refused(plugin, op, "fields", `a shape has no field ${quote(odd)}; there are ${SHAPE_FIELDS.join(", ")}`);
  const shape: Record<string, string> = {};
  for (const field of SHAPE_FIELDS) {
    const given = Object.hasOwn(value, field) ? value[field] : undefined;
    if (given === undefined || given === null) continue;
    shape[field] = textIn(field, given, (why) => refused(plugin, op, "form", why));
  }
  return shape;
}

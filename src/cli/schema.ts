/** `bulkhead schema`: prints a JSON Schema that ships, for an editor or a validator. */
import { nearest } from "../common/nearest.js";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { jsonSchemas } from "./json-schemas.js";
import type { Report } from "./output.js";

/** What each schema is of, and its file in `dist/schemas`. */
const FILES: Readonly<Record<string, string>> = {
  manifest: "plugin.schema.json",
  policy: "bulkhead.config.schema.json",
  serve: "serve.schema.json",
};

const NAMES: readonly string[] = Object.keys(FILES);

/** Returns the schema of `which`; "" stands for a manifest. Throws `ERR_USAGE`. */
export async function schema(which: string): Promise<Report> {
  const name = which === "" ? "manifest" : which;
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (file === undefined) {
    const near = nearest(name, NAMES);
    const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
    const rule = `unknown schema ${quote(name)}${hint}; the schemas are ${NAMES.join(", ")}`;
    throw new DriverError("ERR_USAGE", rule);
  }
  const found = jsonSchemas()[file];
  return { data: { schema: found }, text: JSON.stringify(found, undefined, 2) };
}

/** Generates the JSON Schemas of manifest, policy and the daemon's config file, and the control API's description, from the schemas in use. */

import { z } from "../common/zod.js";
import { openApi } from "../control/openapi.js";
import { manifestSchema } from "../policy/manifest/schema.js";
import { policySchema } from "../policy/schema.js";
import { serveSchema } from "./serve/settings.js";

/** Returns the schemas by file name. */
export function jsonSchemas(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return {
    "plugin.schema.json": jsonSchema(manifestSchema, "Bulkhead: a plugin's manifest"),
    "bulkhead.config.schema.json": jsonSchema(policySchema, "Bulkhead: an operator's policy"),
    "serve.schema.json": jsonSchema(serveSchema, "Bulkhead: what bulkhead serve is told"),
    "openapi.json": openApi(),
  };
}

/** Converts a schema; the host checks rules that JSON Schema cannot express (main, network type names). */
function jsonSchema(schema: z.ZodType, title: string): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, title, ...rest };
}

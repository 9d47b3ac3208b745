/** Generates the JSON Schemas of manifest, policy and the daemon's config file from the schemas that the host uses. */

import { z } from "../common/zod.js";
import { manifestSchema } from "../policy/manifest/schema.js";
import { policySchema } from "../policy/schema.js";
import { serveSchema } from "./serve/settings.js";

/** Returns the schemas by file name. */
export function jsonSchemas(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return {
    "plugin.schema.json": jsonSchema(manifestSchema, "Bulkhead: a plugin's manifest"),
    "bulkhead.config.schema.json": jsonSchema(policySchema, "Bulkhead: an operator's policy"),
    "serve.schema.json": jsonSchema(serveSchema, "Bulkhead: what bulkhead serve is told"),
  };
}

/** Converts a schema; the host checks rules that JSON Schema cannot express (main, network type names). */
function jsonSchema(schema: z.ZodType, title: string): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, title, ...rest };
}

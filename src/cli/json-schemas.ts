/** The JSON Schemas of manifest, policy and the daemon's config file, made from the schemas the host itself checks with. */

import { z } from "../common/zod.js";
import { manifestSchema } from "../policy/manifest/schema.js";
import { policySchema } from "../policy/schema.js";
import { serveSchema } from "./serve/settings.js";

/** The schemas by the file name they ship under. */
export function jsonSchemas(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return {
    "plugin.schema.json": jsonSchema(manifestSchema, "Bulkhead: a plugin's manifest"),
    "bulkhead.config.schema.json": jsonSchema(policySchema, "Bulkhead: an operator's policy"),
    "serve.schema.json": jsonSchema(serveSchema, "Bulkhead: what bulkhead serve is told"),
  };
}

/** Rules that JSON Schema has no word for (main, network type names) are left to the host. */
function jsonSchema(schema: z.ZodType, title: string): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { $schema, title, ...rest };
}

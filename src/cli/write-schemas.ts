/**
 * Writes the JSON Schemas that ship, for editors: `plugin`, `bulkhead.config` and `serve.schema.json` in `dist/schemas`, and beside them
 * `openapi.json`, the control API.
 * A build step: `node dist/cli/write-schemas.js [FOLDER]`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { jsonSchemas } from "./json-schemas.js";

const folder = process.argv[2] ?? fileURLToPath(new URL("../schemas/", import.meta.url));
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  await writeFile(join(resolve(folder), name), `${JSON.stringify(schema, undefined, 2)}\n`);
}

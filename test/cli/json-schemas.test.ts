/** The shipped JSON Schemas know every key the host knows, and no other. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jsonSchemas } from "#dist/cli/json-schemas.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";
import { assert, suite } from "../harness.js";
import { cli } from "./cli.js";

const test = suite("cli/json-schemas");

interface Schema {
  $schema?: string;
  title?: string;
  properties: Record<string, Schema>;
  propertyNames: { pattern: string };
  additionalProperties: false | Schema;
}

function read(name: string): Schema {
  return jsonSchemas()[name] as unknown as Schema;
}

test("the manifest's", () => {
  const schema = read("plugin.schema.json");
  assert.is(schema.additionalProperties, false);
  assert.is(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  assert.equal(Object.keys(schema.properties), [
    "$schema",
    "name",
    "version",
    "description",
    "apiVersion",
    "main",
    "networkTypes",
    "scope",
    "permissions",
    "optionalPermissions",
    "timeouts",
    "limits",
    "isolation",
    "recovery",
    "docker",
  ]);
  assert.equal(Object.keys(schema.properties.permissions?.properties ?? {}), Object.keys(PERMISSIONS));
  assert.is(schema.properties.permissions?.additionalProperties, false);
});

test("the daemon's config file's", () => {
  const schema = read("serve.schema.json");
  assert.is(schema.additionalProperties, false);
  assert.ok(["plugins", "policy", "dataDir", "dockerDir"].every((key) => Object.hasOwn(schema.properties, key)));
});

test("the policy's", () => {
  const schema = read("bulkhead.config.schema.json");
  assert.equal(Object.keys(schema.properties), ["$schema", "sandbox", "defaults", "plugins"]);
  const plugins = schema.properties.plugins as Schema;
  assert.is(plugins.propertyNames.pattern, "^[a-z][a-z0-9-]{0,31}$");
  const entry = plugins.additionalProperties as Schema;
  assert.equal(Object.keys(entry.properties).sort(), [
    "enabled",
    "grant",
    "isolation",
    "limits",
    "networkTypes",
    "options",
    "revoked",
    "sha256",
    "takeTypes",
    "timeouts",
    "update",
  ]);
  assert.equal(Object.keys(entry.properties.grant?.properties ?? {}), ["scope", ...Object.keys(PERMISSIONS)]);
});

test("`bulkhead schema` prints them; for an unknown name it lists the known ones", async () => {
  for (const [args, file] of [
    [[], "plugin.schema.json"],
    [["manifest"], "plugin.schema.json"],
    [["policy"], "bulkhead.config.schema.json"],
    [["serve"], "serve.schema.json"],
  ] as const) {
    const plain = await cli(["schema", ...args]);
    assert.is(plain.exit, 0, plain.err);
    assert.equal(JSON.parse(plain.out), jsonSchemas()[file]);
    assert.equal((await cli(["schema", ...args, "--json"])).json().schema, jsonSchemas()[file]);
  }
  const wrong = await cli(["schema", "polcy"]);
  assert.is(wrong.exit, 2);
  assert.match(
    wrong.err,
    /unknown schema "polcy"; did you mean "policy"\?; the schemas are manifest, policy, serve\n$/,
  );
});

test("the build step writes them", async (t) => {
  const folder = await t.folder();
  const step = fileURLToPath(new URL("../../../dist/cli/write-schemas.js", import.meta.url));
  execFileSync(process.execPath, [step, folder]);
  for (const [name, schema] of Object.entries(jsonSchemas())) {
    assert.equal(JSON.parse(await readFile(join(folder, name), "utf8")), schema);
  }
});

test.run();

/** plugins/README.md: the messages of plugins that do not load are what a host says of such a plugin. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { house, row } from "../kit/host.js";

const test = suite("documentation: plugins that do not load");
const page = readFileSync(join(process.cwd(), "plugins/README.md"), "utf8");
const [, section = ""] = page.split("\n## When it does not load\n");

/** A plugin for each message of the page that comes from its init. */
const PLUGINS: Readonly<Record<string, string>> = {
  fetch: 'export async function init() {\n\n\n  await fetch("http://127.0.0.1");\n}\n',
  registerDriver:
    'export async function init(callback) {\n\n  await callback.registerDriver("greet", { type: () => "greet" }, {});\n}\n',
};

for (const [name, code] of Object.entries(PLUGINS)) {
  test(`${name}`, async (t) => {
    const [, line] = new RegExp(`^    (ERR_PLUGIN_INIT: .*\\b${name}\\b.*)$`, "m").exec(section) ?? [];
    const { open } = await house(t, { "greet.js": code });
    const { refusal } = row(await open(), "greet");
    assert.is(`${refusal?.code}: ${refusal?.message}`, line);
  });
}

test.run();

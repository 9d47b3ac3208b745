/** `bulkhead/testing` in a realm of a test runner's own, as jest has it: modules in a vm context, on Node 20 without Symbol.asyncDispose. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("testing: a realm of its own");
const run = promisify(execFile);

/** Loads the package's modules into a context, as a test runner does; packages and Node's modules are the process's own. */
const RUNNER = `
import { readFile } from "node:fs/promises";
import { createContext, SourceTextModule, SyntheticModule } from "node:vm";
const [dist, plugin] = process.argv.slice(1);
const given = ["process", "Buffer", "URL", "URLSearchParams", "TextEncoder", "TextDecoder", "AbortController", "AbortSignal", "performance",
  "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask", "structuredClone",
  "MessageChannel", "console", "Event", "EventTarget", "Error", "TypeError"];
const context = createContext(Object.fromEntries(given.map((name) => [name, globalThis[name]])));
const loaded = new Map();
function load(specifier, from) {
  const url = /^[./]/.test(specifier) ? new URL(specifier, from).href : specifier;
  if (!loaded.has(url)) loaded.set(url, url.startsWith("file:") ? source(url) : foreign(url));
  return loaded.get(url);
}
async function source(url) {
  const initializeImportMeta = (meta) => { meta.url = url; };
  const importModuleDynamically = async (specifier) => { const one = await load(specifier, url); await linked(one); return one; };
  return new SourceTextModule(await readFile(new URL(url), "utf8"), { identifier: url, context, initializeImportMeta, importModuleDynamically });
}
async function foreign(name) {
  const all = await import(name);
  const names = Object.keys(all);
  return new SyntheticModule(names, function () { for (const one of names) this.setExport(one, all[one]); }, { context });
}
async function linked(one) {
  if (one.status === "unlinked") await one.link((specifier, { identifier }) => load(specifier, identifier));
  await one.evaluate();
}
const testing = await load("./testing.js", "file://" + dist + "/");
await linked(testing);
const [rule] = testing.namespace.driverContract({ plugin });
await rule.run();
console.log("passed " + rule.id);
process.exit(0);
`;

test(
  "a rule of the contract runs there",
  async () => {
    const args = [
      "--experimental-vm-modules",
      "--no-warnings",
      "--input-type=module",
      "-e",
      RUNNER,
      join(REPO, "dist"),
    ];
    const { stdout } = await run(process.execPath, [...args, join(REPO, "examples/testing/leases.js")], { cwd: REPO });
    assert.match(stdout, /^passed \w/);
  },
  { ms: 60_000 },
);

test.run();

/** A host that has loaded a plugin keeps a bundler process ready for the next one; it goes with the host. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPluginHost } from "bulkhead";
import { assert, suite, until } from "../harness.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: a bundler ahead");

/** Bundler processes of this one that wait, by id. */
function bundlers(): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || Number(parent) !== process.pid) return false;
      return readFileSync(`/proc/${name}/cmdline`, "latin1").includes("bundler/child.js");
    } catch {
      // It has just ended.
      return false;
    }
  });
}

test("the next load takes it, another comes, and none is left when the host has closed", async (t) => {
  const plugins = await t.folder();
  await writeFile(join(plugins, "one.js"), plugin("one"));
  const host = await createPluginHost({ plugins, isolation: "thread", logger: SILENT });
  t.cleanup(() => host.close());
  await until(() => bundlers().length === 1, "a bundler ahead");
  const [ahead] = bundlers();
  await host.reload("one");
  assert.not(bundlers().includes(ahead as string), "it was used, and is never used twice");
  await until(() => bundlers().length === 1, "the next one");
  await host.close();
  assert.equal(bundlers(), []);
});

test.run();

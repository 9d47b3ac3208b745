/** plugins/README.md: the limits of a manifest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "#dist/policy/limits.js";
import type { PluginLimits } from "#dist/policy/manifest/plugin-limits.js";
import { assert, suite } from "../harness.js";

const test = suite("documentation: limits");
const text = readFileSync(join(process.cwd(), "plugins/README.md"), "utf8");

test("each of a manifest's limits is named, with its default", () => {
  const [, row = ""] = /^\| `limits` +\| (.*)$/m.exec(text) ?? [];
  const told = [...row.matchAll(/`(\w+)` \((\d+)\)/g)].map(([, name = "", value]) => [name, Number(value)]);
  const { memoryMb, drivers, cpuPercent } = DEFAULTS;
  const limits: Required<PluginLimits> = { memoryMb, drivers, cpuPercent };
  assert.equal(told, Object.entries(limits));
});

test.run();

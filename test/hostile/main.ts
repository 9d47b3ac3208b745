/** Runs every attack under every isolation, then writes what came of it: outcomes.json, and SECURITY.md's table. `npm run hostile` */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gather, OUTCOMES_FILE, type Seen } from "./outcomes.js";
import { withTable } from "./table.js";

const RUN = fileURLToPath(new URL("../run.js", import.meta.url));
const PAGE = fileURLToPath(new URL("../../../SECURITY.md", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "bulkhead-outcomes-"));
try {
  const file = join(folder, "seen");
  const { status } = spawnSync(process.execPath, [RUN, "hostile/class-"], {
    stdio: "inherit",
    env: { ...process.env, BULKHEAD_OUTCOMES: file, BULKHEAD_REQUIRE: "all", BULKHEAD_AGAIN: "1" },
  });
  if (status !== 0) throw new Error("an attack was not met as it must be: nothing is written");
  const seen = readFileSync(file, "utf8").trim().split("\n");
  const outcomes = gather(seen.map((line) => JSON.parse(line) as Seen));
  writeFileSync(OUTCOMES_FILE, `${JSON.stringify(outcomes, undefined, 2)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8"), outcomes));
  console.log(`${seen.length} outcomes written`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * The main job, end to end: `npm run demo`, or `npm run demo -- --json`. Its steps are in README.md.
 */

import { openGround } from "./ground.mjs";
import { report } from "./report.mjs";
import { openStage } from "./stage.mjs";
import { drop, hang, lifecycle, load, recover } from "./steps.mjs";
import { network, survive, takeDown } from "./wiring.mjs";

let stage;
let ending = false;
process.once("exit", () => stage?.removeNow());
// Steps that are interrupted fail; that is expected.
process.on("unhandledRejection", (error) => {
  if (!ending) throw error;
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  // A second signal does not interrupt the cleanup.
  process.on(signal, async () => {
    if (ending) return;
    ending = true;
    if (!process.argv.includes("--json")) console.log(`\n${signal}: cleaning up`);
    await stage?.close();
    process.exit(130);
  });
}

const ground = openGround();
stage = openStage(ground);
const { finish, run } = report({
  json: process.argv.includes("--json"),
  isolation: "process",
  backend: ground.backend,
  note: ground.why && `the kernel's network cannot be had: ${ground.why}; the model shows the same steps`,
  ending: () => ending,
});

await run("load", () => load(stage));
await run("drop", () => drop(stage));
await run("lifecycle", () => lifecycle(stage));
const cut = await run("hang", () => hang(stage));
await run("neighbours", () => cut.neighbours());
await run("recover", () => recover(stage));
const { ends, wires } = await run("network", () => network(stage));
await run("ping4", () => wires.ping(4));
await run("ping6", () => wires.ping(6));
await run("tcp4", () => wires.tcp(4));
await run("tcp6", () => wires.tcp(6));
await run("survive", () => survive(stage, wires));
let leftovers = [];
await run("cleanup", async () => {
  if (ends) await takeDown(stage, ends);
  await stage.close();
  leftovers = await stage.leftovers();
  if (leftovers.length > 0) throw new Error(`left: ${leftovers.join(", ")}`);
  return ground.backend === "kernel"
    ? "no namespace, link, process, thread, file or socket is left"
    : "no process, thread, file or socket is left";
});
process.exitCode = finish(leftovers) ? 0 : 1;

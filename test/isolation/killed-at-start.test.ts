/** A host process that is ended while its wall is still being raised leaves nobody behind. */
import { readdirSync, readFileSync } from "node:fs";
import { WalledChild } from "#dist/isolation/walled-child.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import { START_KILLS as ROUNDS } from "../amounts.js";
import { suite, until } from "../harness.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: killed at its start");
/** Within this long bubblewrap has made its namespaces and runs Node. */
const START_MS = 25;

/** Processes behind a wall of this process: the runtime folder's name stands in their command line. */
function ours(): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "latin1").includes(`/bulkhead-runtime-${process.pid}-`);
    } catch {
      // It has just ended.
      return false;
    }
  });
}

test(
  `${ROUNDS} of them, each killed within ${START_MS} ms of its start: no process of theirs is left`,
  async (t) => {
    const wall = await raiseWall("bubblewrap", undefined);
    t.cleanup(() => wall.release());
    for (let round = 0; round < ROUNDS; round++) {
      const child = new WalledChild(wall.command(320));
      const ended = new Promise((resolve) => {
        child.onEnd = resolve;
      });
      await new Promise((resolve) => setTimeout(resolve, (START_MS * round) / ROUNDS));
      child.kill();
      await ended;
    }
    await until(() => ours().length === 0, "their end", 3000);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test.run();

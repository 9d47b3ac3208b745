/** Runs one case, by its title, under "thread" in this process, which may not outlive it. Usage: node run-one.js TITLE */

import { runCase } from "./arena.js";
import { ALL_CASES } from "./cases/all.js";

const found = ALL_CASES.find((one) => one.title === process.argv[2]);
if (!found) throw new Error(`no case "${process.argv[2]}"`);
await runCase(found, "thread");

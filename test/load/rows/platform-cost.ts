/** What a platform pays for calls and for idle plugins, against an earlier build. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { REPO } from "../../kit/host.js";
import { BASE, LMDB_COMMIT, noBase } from "../base-build.js";
import type { Measure, RowSpec } from "../row.js";

const CHILD = fileURLToPath(new URL("../platform-child.js", import.meta.url));

/** Returns what a platform of that build finds in a process of its own. */
async function found(build: string, task: "calls" | "idle", amount: number, settleMs = 0): Promise<number> {
  const child = fork(CHILD, [build, task, `${amount}`, `${settleMs}`], { execArgv: ["--expose-gc"] });
  const ended = once(child, "exit");
  const told = once(child, "message") as Promise<[{ readonly found: number }]>;
  const early = ended.then(([code]) => Promise.reject(new Error(`the platform of ${build} ended with ${code}`)));
  const [answer] = await Promise.race([told, early]);
  await ended;
  return answer.found;
}

const row = (id: string, what: string, unit: string, bar: number, aim: number): RowSpec => ({
  ...{ id, what, unit, bar, aim, peer: `the build of ${LMDB_COMMIT}`, direction: "at most" },
});

export const platformCost: Measure = {
  rows: [
    row(
      "platform-processor",
      "processor of a call, platform's thread, process isolation, 256 in flight",
      "µs",
      0.6,
      0.45,
    ),
    row(
      "memory-dedicated",
      "resident memory of each of 8 idle plugins, dedicated, workers kept ready included",
      "MiB",
      0.7,
      0.5,
    ),
  ],
  seconds: 60,
  // The other rows take ten minutes already.
  onlyNamed: true,
  lacks: noBase,
  async round(run) {
    const both = (task: "calls" | "idle", amount: number, settleMs?: number) =>
      run.pair(
        () => found(REPO, task, amount, settleMs),
        () => found(BASE, task, amount, settleMs),
      );
    return {
      "platform-processor": await both("calls", run.count(40_000, 400)),
      "memory-dedicated": await both("idle", run.count(8, 1), run.ms(2_000)),
    };
  },
};

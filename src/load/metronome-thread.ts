/** A metronome's thread: sleeps until a beat is due, posts it, and sleeps again. */
import { parentPort, workerData } from "node:worker_threads";
import { monotonicNow } from "../common/clock.js";
import type { Beats } from "./metronome.js";

const { began, perSecond, count } = workerData as Beats;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

for (let beat = 0; beat < count; beat++) {
  const ms = began + (beat * 1000) / perSecond - monotonicNow();
  if (ms > 0) Atomics.wait(sleeper, 0, 0, ms);
  parentPort?.postMessage(beat);
}

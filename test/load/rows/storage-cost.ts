/** What the data folder costs a platform, against the last commit whose journal was kept by lmdb. */
import { REPO } from "../../kit/host.js";
import { BASE, LMDB_COMMIT, noBase } from "../base-build.js";
import type { Figures, Measure } from "../row.js";
import { processorPerCall } from "../storage/gateway.js";
import { onFilled } from "../storage/state.js";

const PEER = `the build of ${LMDB_COMMIT}`;
const ENDPOINTS = 100_000;

export const storageProcessor: Measure = {
  rows: [
    {
      id: "storage-processor",
      what: "processor of a journalled call through the gateway, 64 connections, process isolation",
      peer: PEER,
      unit: "µs",
      direction: "at most",
      bar: 0.5,
      aim: 0.35,
    },
  ],
  seconds: 25,
  lacks: noBase,
  round: async (run) => ({
    "storage-processor": await run.pair(
      () => processorPerCall(REPO, run.count(8_000, 200)),
      () => processorPerCall(BASE, run.count(8_000, 200)),
    ),
  }),
};

/** One folder per build, written once, serves both rows. */
export const storageEndpoints: Measure = {
  rows: [
    {
      id: "storage-replay",
      what: "reading the journal of 100,000 endpoints at a start",
      peer: PEER,
      unit: "ms",
      direction: "at most",
      bar: 0.5,
      aim: 0.25,
    },
    {
      id: "storage-memory",
      what: "resident memory of a platform with 100,000 endpoints",
      peer: PEER,
      unit: "MiB",
      direction: "at most",
      bar: 0.7,
      aim: 0.5,
    },
  ],
  seconds: 50,
  lacks: noBase,
  async round(run) {
    const endpoints = run.count(ENDPOINTS, 200);
    const both = (task: "replay" | "host", of: "ms" | "mb"): Promise<Figures> =>
      run.pair(
        async () => (await onFilled(REPO, endpoints, task))[of],
        async () => (await onFilled(BASE, endpoints, task))[of],
      );
    return { "storage-replay": await both("replay", "ms"), "storage-memory": await both("host", "mb") };
  },
};

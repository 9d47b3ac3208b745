/**
 * How much the tests do that repeat themselves. `npm test` does the short amount, `npm run test:long` (BULKHEAD_LONG=1) the long one, and
 * `BULKHEAD_LONG=ci npm run test:long` one between them; a variable of its own sets each to any number.
 */

const { BULKHEAD_LONG, BULKHEAD_ENGINES } = process.env;
if (![undefined, "", "ci", "1"].includes(BULKHEAD_LONG))
  throw new Error(`BULKHEAD_LONG is "${BULKHEAD_LONG}", not 1 or ci`);
/** True in the long form and in the one between: what the short form tests in groups is tested one by one. */
export const LONG: boolean = BULKHEAD_LONG === "ci" || BULKHEAD_LONG === "1" || BULKHEAD_ENGINES === "whole";
/** True where nothing is left out, however long it takes. */
export const FULL: boolean = LONG && BULKHEAD_LONG !== "ci";

let isLengthened = FULL;

function amount(variable: string, short: number, ci: number, long: number): number {
  const given = process.env[variable];
  if (given === undefined) return FULL ? long : LONG ? ci : short;
  isLengthened = true;
  const chosen = Number(given);
  if (!Number.isSafeInteger(chosen) || chosen < 1) throw new Error(`${variable} is "${given}", not a number from 1 on`);
  return chosen;
}

/** Loads and unloads, half of them ended by a spin. */
export const LEAK_ROUNDS: number = amount("BULKHEAD_ROUNDS", 20, 100, 1000);
/** SIGKILLs of a process that writes to the data folder. */
export const STATE_KILLS: number = amount("BULKHEAD_STATE_KILLS", 300, 600, 10_000);
/** SIGKILLs of a process that writes to the local store for `cluster`. */
export const CLUSTER_KILLS: number = amount("BULKHEAD_STATE_KILLS", 12, 60, 1_000);
/** Sequences of calls that are compared with the lifecycle's model. */
export const SEQUENCES: number = amount("BULKHEAD_SEQUENCES", 100, 300, 1000);
/** Kills of a bridge driver's host process. */
export const BRIDGE_KILLS: number = amount("BULKHEAD_KILLS", 16, 60, 500);
/** Networks of twenty endpoints at the same time. */
export const NETWORKS: number = amount("BULKHEAD_NETWORKS", 20, 30, 50);
/** Random sequences of requests that the kernel and its model must answer alike. */
export const NETLINK_RUNS: number = amount("BULKHEAD_NETLINK_RUNS", 8, 28, 100);
/** Moments during a start at which processes are killed. */
export const START_KILLS: number = amount("BULKHEAD_START_KILLS", 10, 30, 60);
/** Containers that start and stop on an engine while processes are killed. */
export const ENGINE_CONTAINERS: number = amount("BULKHEAD_ENGINE_CONTAINERS", 8, 8, 20);
/** Containers that start and stop on a Podman while the daemon is killed. */
export const PODMAN_CONTAINERS: number = amount("BULKHEAD_PODMAN_CONTAINERS", 6, 6, 20);
/** Seconds of attacks and load at once. */
export const STORM_SECONDS: number = amount("BULKHEAD_STORM_SECONDS", 8, 20, 60);
/** Moments at which Ctrl-C is pressed in the demonstration. */
export const DEMO_MOMENTS: number = FULL ? 20 : LONG ? 10 : 6;
/** Recorded lives of a data folder, cut off and killed at each of their moments. */
export const RECORDED_LIVES: number = amount("BULKHEAD_ROUNDS", 8, 18, 50);
/** Sequences of writes, deletions, rotations and reopenings that are compared with a model of the log. */
export const LOG_MODELS: number = amount("BULKHEAD_ROUNDS", 10, 40, 500);
/** Messages that the egress driver's parser is given. */
export const EGRESS_MESSAGES: number = amount("BULKHEAD_EGRESS_MESSAGES", 10_000, 100_000, 1_000_000);
/** Containers on an engine whose first act is a connection that their network does not allow. */
export const EGRESS_STARTS: number = amount("BULKHEAD_EGRESS_STARTS", 10, 60, 500);
/** Times that a part of the egress driver's is killed under traffic. */
export const EGRESS_KILLS: number = amount("BULKHEAD_EGRESS_KILLS", 6, 24, 100);
/** Inputs of the fuzzed reader of the log. */
export const LOG_INPUTS: number = amount("BULKHEAD_LOG_INPUTS", 1500, 20_000, 1_000_000);
/** Inputs of all fuzzed parsers together. */
export const FUZZ_INPUTS: number = amount("BULKHEAD_FUZZ_INPUTS", 10_000, 14_000, 1_000_000);
/** File systems with little room on which a data folder lives. */
export const WORLDS: number = amount("BULKHEAD_ROUNDS", 14, 36, 200);

/** True if any amount may be another than the short one: a file may then take hours. */
export const PATIENT: boolean = isLengthened;

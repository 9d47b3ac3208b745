/** Gives one target its inputs: makes them, times them, watches the heap, and shrinks what fails. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { regressions } from "./corpus.js";
import { mutate } from "./mutate.js";
import { Random, seedOf } from "./random.js";
import { shrink } from "./shrink.js";
import { stopwatch } from "./stopwatch.js";
import type { Outcome, Reach, Target } from "./target.js";

/** No input may take longer, in milliseconds. */
export const SLOWEST = 50;
/** Inputs that take longer than this are run again by themselves: a busy machine and the collector take their time too. */
const SUSPECT = 25;
/** What the heap may have grown by between the first quarter of the inputs and the last, in bytes. */
export const GROWTH = 2 ** 20;
/** Of a hundred inputs so many are mutations; the others are fast-check's. */
const MUTATED = 70;
/** Inputs that fast-check makes at a time. */
const BATCH = 16;
/** Blocks of inputs between which the heap is measured. */
const BLOCKS = 8;
/** One target stops at so many failures. */
const FAILURES = 5;

export interface Failure {
  readonly target: string;
  readonly seed: number;
  /** Number of the input, in this target's row; below 0: of those that every run begins with. */
  readonly index: number;
  readonly why: string;
  /** As it was, and as small as it could be made. */
  readonly input: unknown;
  readonly smaller?: unknown;
}

export interface Result {
  readonly target: string;
  readonly inputs: number;
  /** Mutations of valid inputs that reached validation, of all inputs. */
  readonly mutatedReached: number;
  readonly reach: Readonly<Record<Reach, number>>;
  readonly slowestMs: number;
  readonly slowestIndex: number;
  readonly growthBytes: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes in use after a collection, of the heap and beside it. What lies beside it goes a moment later. */
async function inUse(): Promise<number> {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 10));
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Input number `index`, the same for the same seed. */
function inputAt(target: Target, seed: number, index: number): { readonly mutated: boolean; readonly input: unknown } {
  const random = new Random(seedOf(seed, target.name, index));
  if (random.below(100) < MUTATED) {
    const input = target.mutated?.(random) ?? mutate(random.pick(target.corpus), random, target.corpus, target.most);
    return { mutated: true, input };
  }
  const [batch, place] = [Math.floor(index / BATCH), index % BATCH];
  return { mutated: false, input: generated(target, seedOf(seed, `${target.name}/generated`, batch))[place] };
}

let lastBatch: { readonly target: Target; readonly seed: number; readonly inputs: readonly unknown[] } | undefined;

function generated(target: Target, seed: number): readonly unknown[] {
  if (lastBatch?.target !== target || lastBatch.seed !== seed)
    lastBatch = { target, seed, inputs: fc.sample(target.generated, { seed, numRuns: BATCH }) };
  return lastBatch.inputs;
}

/** Runs one input: why it fails, or how far it came and how long it took. */
async function judge(
  target: Target,
  input: unknown,
): Promise<Outcome & { readonly ms: number; readonly why?: string }> {
  const elapsed = stopwatch();
  try {
    const told = target.run(input);
    const outcome = told instanceof Promise ? await told : told;
    return { ms: elapsed(), ...outcome };
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${typeof error}`;
    return { reach: "unread", ms: elapsed(), why };
  }
}

/** Runs by themselves of one that seemed slow, and how often they are made again, a moment later. */
const RUNS = 3;
const ROUNDS = 5;

/**
 * The shortest of some runs by itself, for the collector and the compiler take their time too; where that is too long, of some
 * more a moment later, for so does a busy machine. What is truly slow is slow each time.
 */
async function timeAlone(target: Target, input: unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, 1000));
    for (let run = 0; run < RUNS; run++) best = Math.min(best, (await judge(target, input)).ms);
    if (best <= SLOWEST) break;
  }
  return best;
}

/** What every run begins with, uncounted, numbered down from -1: what failed once, the corpus, what is too dear to be made often. */
function firstOf(target: Target): readonly unknown[] {
  const failed = regressions().filter((one) => one.target === target.name);
  return [
    ...failed.map(({ text, base64 }) => text ?? Buffer.from(base64 ?? "", "base64")),
    ...target.corpus.map((text) => target.input?.(text) ?? text),
    ...(target.once ?? []),
  ];
}

/** Gives `target` the inputs `from` to `from + inputs`. */
export async function fuzz(target: Target, seed: number, inputs: number, from = 0): Promise<Result> {
  const began = performance.now();
  const reach: Record<Reach, number> = { unread: 0, refused: 0, accepted: 0 };
  const failures: Failure[] = [];
  let mutatedReached = 0;
  let [slowestMs, slowestIndex] = [0, from];
  const heaps: number[] = [];
  const give = async (input: unknown, index: number): Promise<Reach> => {
    const outcome = await judge(target, input);
    const ms = outcome.ms > SUSPECT ? await timeAlone(target, input) : outcome.ms;
    if (ms > slowestMs) [slowestMs, slowestIndex] = [ms, index];
    const failure = { target: target.name, seed, index, input };
    const { why } = outcome;
    if (why !== undefined) {
      const smaller = await shrink(input, async (part) => sameFault(why, (await judge(target, part)).why));
      failures.push({ ...failure, why, ...(smaller === input ? {} : { smaller }) });
    } else if (ms > SLOWEST) failures.push({ ...failure, why: `it took ${ms.toFixed(1)} ms` });
    return outcome.reach;
  };
  for (const [at, input] of firstOf(target).entries()) await give(input, -1 - at);
  for (let n = 0; n < inputs && failures.length < FAILURES; n++) {
    const { mutated, input } = inputAt(target, seed, from + n);
    const reached = await give(input, from + n);
    reach[reached]++;
    if (mutated && reached !== "unread") mutatedReached++;
    if ((n + 1) % Math.ceil(inputs / BLOCKS) === 0) heaps.push(await inUse());
  }
  // The first blocks warm up: code is compiled, tables fill to their bounds.
  const growthBytes = Math.max(
    0,
    Math.min(...heaps.slice(-2)) - (heaps[Math.floor(BLOCKS / 4)] ?? Number.POSITIVE_INFINITY),
  );
  const seconds = (performance.now() - began) / 1000;
  const result = {
    target: target.name,
    inputs: Object.values(reach).reduce((a, b) => a + b, 0),
    mutatedReached,
    reach,
  };
  return { ...result, slowestMs, slowestIndex, growthBytes, seconds, failures };
}

/** The same fault, whatever numbers and texts its message holds. */
function sameFault(one: string, other: string | undefined): boolean {
  const kind = (why: string): string => why.replace(/["\d].*/s, "").slice(0, 40);
  return other !== undefined && kind(one) === kind(other);
}

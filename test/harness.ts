/** uvu with what it lacks: a deadline around every test, cleanups that always run, and skips that say why. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite as uvuSuite } from "uvu";
import { testTook } from "./times.js";

export * as assert from "uvu/assert";

export interface TestContext {
  /** Runs after the test, last registered first, also when it failed. */
  cleanup(undo: () => unknown): void;
  /** A fresh folder, removed afterwards. */
  folder(): Promise<string>;
}

export interface Suite {
  (
    name: string,
    body: (t: TestContext) => unknown,
    options?: { ms?: number; needs?: string | false | undefined },
  ): void;
  run(): void;
}

/** `npm run test:fast`: what needs no more than Node. */
export const FAST: boolean = process.env.BULKHEAD_FAST === "1";

/**
 * A suite; call `.run()` at the end of the file (the runner fails a file that forgets).
 * `needs`: why the test cannot run here (a missing tool, no root); with BULKHEAD_REQUIRE=all that is a failure.
 */
export function suite(title: string): Suite {
  const inner = uvuSuite(title);
  const test = (
    name: string,
    body: (t: TestContext) => unknown,
    options: { ms?: number; needs?: string | false | undefined } = {},
  ): void => {
    // Stated and met: it needs something that a machine can lack.
    if (FAST && "needs" in options && options.needs !== false) {
      inner.skip(name, () => {});
      return;
    }
    if (options.needs) {
      if (process.env.BULKHEAD_REQUIRE === "all") {
        inner(name, () => {
          throw new Error(`BULKHEAD_REQUIRE=all, and this test cannot run: ${options.needs}`);
        });
      } else {
        console.log(`SKIPPED ${title}: ${name}: ${options.needs}`);
        inner.skip(name, () => {});
      }
      return;
    }
    inner(name, () => withDeadline(name, options.ms ?? 20_000, body));
  };
  return Object.assign(test, { run: () => inner.run() });
}

async function withDeadline(name: string, ms: number, body: (t: TestContext) => unknown): Promise<void> {
  const undos: Array<() => unknown> = [];
  const t: TestContext = {
    cleanup: (undo) => undos.push(undo),
    async folder() {
      const path = await mkdtemp(join(tmpdir(), "bulkhead-test-"));
      undos.push(() => rm(path, { recursive: true, force: true }));
      return path;
    },
  };
  const started = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`"${name}" did not end within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([Promise.resolve().then(() => body(t)), deadline]);
  } finally {
    clearTimeout(timer);
    for (const undo of undos.reverse()) await undo();
    testTook(name, performance.now() - started);
  }
}

/** What a promise was rejected with. */
export type Rejection = Error & { code?: string; kind?: string; [key: string]: unknown };

/** Resolves with the error a promise rejects with; throws if it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<Rejection> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Rejection;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** Resolves when `probe` is truthy; polls, so use it only where there is no event to wait for. */
export async function until<T>(probe: () => T | Promise<T>, what: string, ms = 5000): Promise<NonNullable<T>> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value as NonNullable<T>;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

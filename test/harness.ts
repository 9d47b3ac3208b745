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

/**
 * Why a test cannot run here: a missing tool, no root. `kernel`: what this machine's kernel is built without, or with; since no package
 * changes that, such a test is skipped with `BULKHEAD_REQUIRE=all` too.
 */
export type Needs = string | { readonly kernel: string } | false | undefined;

export interface Suite {
  (name: string, body: (t: TestContext) => unknown, options?: { ms?: number; needs?: Needs }): void;
  /** Runs after the last test, also when one has failed: for what the file's tests share. */
  after(undo: () => Promise<void>): void;
  run(): void;
}

/** `npm run test:fast`: what needs no more than Node. */
export const FAST: boolean = process.env.BULKHEAD_FAST === "1";

/**
 * A suite; call `.run()` at the end of the file (the runner fails a file that forgets).
 * `needs`: why the test cannot run here; with BULKHEAD_REQUIRE=all that is a failure, unless it is the kernel.
 */
export function suite(title: string): Suite {
  const inner = uvuSuite(title);
  const test = (
    name: string,
    body: (t: TestContext) => unknown,
    options: { ms?: number; needs?: Needs } = {},
  ): void => {
    // Stated and met: it needs something that a machine can lack.
    if (FAST && "needs" in options && options.needs !== false) {
      inner.skip(name, () => {});
      return;
    }
    if (options.needs) {
      const why = typeof options.needs === "string" ? options.needs : options.needs.kernel;
      if (process.env.BULKHEAD_REQUIRE === "all" && typeof options.needs === "string") {
        inner(name, () => {
          throw new Error(`BULKHEAD_REQUIRE=all, and this test cannot run: ${why}`);
        });
      } else {
        console.log(`SKIPPED ${title}: ${name}: ${why}`);
        inner.skip(name, () => {});
      }
      return;
    }
    inner(name, () => withDeadline(name, options.ms ?? 20_000, body));
  };
  inner.after(suiteEnded);
  const run = (): void => {
    running++;
    inner.run();
  };
  return Object.assign(test, { after: (undo: () => Promise<void>) => inner.after(undo), run });
}

/** Milliseconds that a file may go on after its last test. */
const LEFT_MS = 30_000;
let running = 0;

/** Ends a file that a test has left something running in, instead of waiting for the file's deadline. */
function suiteEnded(): void {
  running--;
  const timer = setTimeout(() => {
    if (running > 0) return;
    console.log(`the test file does not exit: ${process.getActiveResourcesInfo().join(", ")} still active`);
    process.exit(1);
  }, LEFT_MS);
  timer.unref();
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
  // Reports only the first failure: what a cleanup finds left over is often a consequence of it.
  const failures: unknown[] = [];
  try {
    await Promise.race([Promise.resolve().then(() => body(t)), deadline]);
  } catch (error) {
    failures.push(error);
  }
  clearTimeout(timer);
  for (const undo of undos.reverse()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  testTook(name, performance.now() - started);
  if (failures.length > 0) throw failures[0];
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

/**
 * One bundler process as the platform sees it: a process group of its own (Node, and esbuild below it) that serves one request.
 * It runs no plugin code, so only resources are limited:
 * - time: the group is killed at the deadline, on abort, after its reply, and when standard input closes;
 * - memory: RLIMIT_DATA bounds each of the two processes (Linux only), and Node's heap has a limit; no limit covers their sum;
 * - files: RLIMIT_FSIZE is 0, and there are no core dumps.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageOf } from "../common/text.js";
import { within } from "../common/within.js";
import { BUNDLER } from "./limits.js";
import { type Answer, answerLength, type ChildRequest, decodeAnswer } from "./messages.js";

/** The outcome of a request. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "ended"; readonly how: string }
  | { readonly kind: "nonsense"; readonly why: string }
  | { readonly kind: "deadline" }
  | { readonly kind: "aborted" };

const SCRIPT: string = fileURLToPath(new URL("./child.js", import.meta.url));
/** Sets the limits and executes Node in the same process. A limit that is already lower stays. */
const LIMITED = 'ulimit -c 0; ulimit -f 0; ulimit -d "$1" 2>/dev/null; shift; exec "$@"';
const ENVIRONMENT = { GOMEMLIMIT: `${BUNDLER.esbuildMb}MiB`, GOTRACEBACK: "none", NO_COLOR: "1" };

/** Starts a bundler, which serves one request and must be ended. Throws if no process can be started. */
export class BundlerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<void>;
  readonly #received: Promise<Outcome>;
  #stderr = "";

  constructor() {
    const node = [process.execPath, `--max-old-space-size=${BUNDLER.heapMb}`, SCRIPT];
    this.#child = spawn("/bin/sh", ["-c", LIMITED, "sh", String(BUNDLER.dataMb * 1024), ...node], {
      cwd: "/",
      detached: true,
      env: ENVIRONMENT,
    });
    if ((this.#child.stdin as unknown) === undefined) {
      // Without free descriptors Node starts nothing, has no streams, and reports the error a second time, by an event.
      this.#child.on("error", () => {});
      throw new Error("no process can be started: too many open files");
    }
    this.#closed = new Promise((resolve) => this.#child.once("close", () => resolve()));
    // A leader that ended by itself leaves esbuild behind, in the same group.
    this.#child.once("exit", () => this.#kill());
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(0, BUNDLER.stderrBytes);
    });
    this.#received = this.#receive();
  }

  /** False once it has ended: a spare may end while it waits. */
  get alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Standard error of both processes, up to a limit; complete once {@link end} has settled. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Sends the request and waits at most `deadline` milliseconds for the reply. Call {@link end} afterwards. */
  async ask(request: ChildRequest, deadline: number, signal: AbortSignal | undefined): Promise<Outcome> {
    if (signal?.aborted) return { kind: "aborted" };
    const over = new AbortController();
    const late = sleep(deadline, { kind: "deadline" } as const, { signal: over.signal });
    const aborted = signal
      ? once(signal, "abort", { signal: over.signal }).then(() => ({ kind: "aborted" }) as const)
      : new Promise<never>(() => {});
    try {
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
      return await Promise.race([this.#received, late, aborted]);
    } finally {
      for (const loser of [late, aborted]) loser.catch(() => {});
      over.abort();
    }
  }

  /** Kills the group and waits until it is gone: esbuild holds standard error, so closed pipes mean both have ended. */
  async end(): Promise<void> {
    this.#kill();
    await within(BUNDLER.reapMs, this.#closed);
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
  }

  /** Sets whether it keeps the platform's process running; a waiting spare does not. */
  hold(held: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const handle of [this.#child, stdin, stdout, stderr]) {
      if (handle === this.#child || handle instanceof Socket) held ? handle.ref() : handle.unref();
    }
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group has ended.
    }
  }

  #receive(): Promise<Outcome> {
    const { promise, resolve } = deferred<Outcome>();
    let chunks: Buffer[] = [];
    let length = 0;
    let wanted: number | undefined;
    this.#child.stdout.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      try {
        if (wanted === undefined) {
          chunks = [Buffer.concat(chunks)];
          wanted = answerLength(chunks[0] ?? chunk);
        }
        if (wanted === undefined || length < wanted) return;
        if (length > wanted) throw new Error("it sent more than one reply");
        resolve({ kind: "answer", answer: decodeAnswer(Buffer.concat(chunks)) });
      } catch (error) {
        resolve({ kind: "nonsense", why: messageOf(error) });
      }
      this.#child.stdout.removeAllListeners("data").resume();
      chunks = [];
    });
    this.#child.once("error", (error) => resolve({ kind: "ended", how: error.message }));
    this.#child.once("close", (code, signal) => resolve({ kind: "ended", how: `${signal ?? `exit ${code}`}` }));
    return promise;
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

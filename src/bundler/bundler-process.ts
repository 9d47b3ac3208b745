/**
 * One bundler process as the platform sees it: a process group of its own (Node, and esbuild below it) that serves one request.
 * It runs no plugin code, so only resources are limited:
 * - time: the group is killed at the deadline, on abort, after its reply, and when standard input closes;
 * - memory: RLIMIT_DATA bounds each of the two processes (Linux only), and Node's heap has a limit; no limit covers their sum;
 * - files: RLIMIT_FSIZE is 0, and there are no core dumps.
 */

import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { messageOf } from "../common/text.js";
import { within } from "../common/within.js";
import type { Child, Streams } from "../spawner/child.js";
import { startChild } from "../spawner/spawner.js";
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

/** Starts a bundler, which serves one request and must be ended. Throws, or ends at once, if no process can be started. */
export class BundlerProcess {
  readonly #child: Child;
  /** Resolves once it has ended and its streams have closed. */
  readonly #closed: Promise<void>;
  readonly #received = deferred<Outcome>();
  /** Undefined until it is started. */
  #streams: Streams | undefined;
  /** The request that waits for its start. */
  #request: string | undefined;
  #held = true;
  #over = false;
  #stderr = "";

  constructor() {
    const node = [process.execPath, `--max-old-space-size=${BUNDLER.heapMb}`, SCRIPT];
    const closed = deferred<void>();
    this.#closed = closed.promise;
    let how = "";
    this.#child = startChild(
      {
        command: "/bin/sh",
        args: ["-c", LIMITED, "sh", String(BUNDLER.dataMb * 1024), ...node],
        cwd: "/",
        env: ENVIRONMENT,
        streams: ["pipe", "pipe", "pipe"],
        group: true,
      },
      {
        started: (streams) => this.#start(streams),
        failed: (why) => {
          this.#over = true;
          this.#received.resolve({ kind: "ended", how: why });
          closed.resolve();
        },
        exited: (as) => {
          this.#over = true;
          how = as;
        },
        closed: () => {
          this.#received.resolve({ kind: "ended", how });
          closed.resolve();
        },
      },
    );
  }

  /** False once it has ended: a spare may end while it waits. */
  get alive(): boolean {
    return !this.#over;
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
      this.#request = `${JSON.stringify(request)}\n`;
      this.#send();
      return await Promise.race([this.#received.promise, late, aborted]);
    } finally {
      for (const loser of [late, aborted]) loser.catch(() => {});
      over.abort();
    }
  }

  /** Kills the group and waits until it is gone: esbuild holds standard error, so closed pipes mean both have ended. */
  async end(): Promise<void> {
    this.#child.kill();
    await within(BUNDLER.reapMs, this.#closed);
    for (const stream of this.#streams ?? []) stream?.destroy();
  }

  /** Sets whether it keeps the platform's process running; a waiting spare does not. */
  hold(held: boolean): void {
    this.#held = held;
    this.#child.hold(held);
    for (const stream of this.#streams ?? []) held ? stream?.ref() : stream?.unref();
  }

  #start(streams: Streams): void {
    this.#streams = streams;
    const [stdin, stdout, stderr] = streams;
    // Nothing is read from standard input but its end.
    stdin?.resume();
    stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(0, BUNDLER.stderrBytes);
    });
    if (stdout) this.#receive(stdout);
    this.hold(this.#held);
    this.#send();
  }

  #send(): void {
    if (this.#streams === undefined || this.#request === undefined) return;
    this.#streams[0]?.write(this.#request);
    this.#request = undefined;
  }

  #receive(stdout: Socket): void {
    const { resolve } = this.#received;
    let chunks: Buffer[] = [];
    let length = 0;
    let wanted: number | undefined;
    stdout.on("data", (chunk: Buffer) => {
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
      stdout.removeAllListeners("data").resume();
      chunks = [];
    });
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

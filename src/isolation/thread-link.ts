/** A link to a worker thread: a MessagePort of our own, and two shared words. */
import { type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { decodeUp, ProtocolViolation, routeHeader } from "../protocol/frame.js";
import { CELL, PROTOCOL_VERSION } from "../protocol/messages.js";
import { readUpMessage } from "../protocol/read-up.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import type { CellReader, Link, LinkEnd } from "./link.js";
import { type ProfileKind, profileThread } from "./profiling.js";
import type { FrameCount, StreamGrant } from "./worker-streams.js";

export class ThreadLink implements Link {
  readonly route: number;
  readonly isolation = "thread" as const;
  readonly wall: undefined = undefined;
  readonly pid: undefined = undefined;
  readonly residentMb: undefined = undefined;
  readonly cell: CellReader;
  onFrame: ((data: unknown) => void) | undefined;
  onEnd: ((end: LinkEnd) => void) | undefined;
  /** Resolves with the worker's thread id when it is locked down and waiting; rejects when it ended first. */
  readonly hello: Promise<number>;
  /** Resolves when the link has ended: the worker was terminated, or its task ended. */
  readonly gone: Promise<void>;
  /** Resolves when its thread has truly ended: if it is inside a native call, that can be long after `gone`. */
  readonly exited: Promise<void>;
  readonly #port: MessagePort;
  readonly #abort: () => void;
  readonly #resolveGone: () => void;
  #helloDone: ((told: number | Error) => void) | undefined;
  #over = false;
  #thread: Worker | undefined;
  readonly #resolveExited: () => void;

  constructor(route: number, port: MessagePort, shared: SharedArrayBuffer, abort: () => void) {
    this.route = route;
    this.#port = port;
    this.#abort = abort;
    const words = new Int32Array(shared);
    this.cell = { running: () => Atomics.load(words, CELL.running), started: () => Atomics.load(words, CELL.started) };
    let resolveGone = (): void => {};
    this.gone = new Promise((resolve) => {
      resolveGone = resolve;
    });
    this.#resolveGone = resolveGone;
    let resolveExited = (): void => {};
    this.exited = new Promise((resolve) => {
      resolveExited = resolve;
    });
    this.#resolveExited = resolveExited;
    this.hello = new Promise((resolve, reject) => {
      this.#helloDone = (told) => (typeof told === "number" ? resolve(told) : reject(told));
    });
    this.hello.catch(() => {});
    // The link alone must not keep the platform's process alive.
    port.on("message", (data: unknown) => this.#receive(data));
    port.on("messageerror", () => this.onFrame?.(undefined));
    port.unref();
  }

  get busyMs(): number {
    return this.#thread?.performance.eventLoopUtilization().active ?? 0;
  }

  /** Sets its thread, once known. */
  bind(thread: Worker): void {
    this.#thread = thread;
    thread.once("exit", this.#resolveExited);
  }

  /** Gives the worker a stream of its own, before its plugin starts: its port is silent from then on. */
  grantStream(grant: StreamGrant): void {
    // Moved, not copied: no memory of this thread keeps the key.
    if (!this.#over) this.#port.postMessage(grant, grant.key === undefined ? [] : [grant.key.buffer as ArrayBuffer]);
  }

  /** Tells the worker how many frames its stream has carried. */
  count(count: FrameCount): void {
    if (!this.#over) this.#port.postMessage(count);
  }

  /** Its thread, once known; undefined when the link has ended. */
  get thread(): Worker | undefined {
    return this.#over ? undefined : this.#thread;
  }

  async profile(of: ProfileKind, ms: number, gone?: AbortSignal): Promise<string> {
    const { thread } = this;
    if (thread === undefined) throw new Error("its worker has ended");
    return profileThread(thread, of, ms, { gone });
  }

  send(frame: string): void {
    if (!this.#over) this.#port.postMessage(frame);
  }

  kill(detail: string): void {
    if (this.#over) return;
    this.#abort();
    this.ended({ how: "killed", detail });
  }

  /** Handles a post on a port that is not the worker's own: the session treats it as a frame that is not text. */
  foreign(): void {
    if (this.#over) return;
    if (this.onFrame) this.onFrame(undefined);
    else this.kill("it spoke on a port that is not its own");
  }

  /** Called when the worker's task has ended, for whatever reason. */
  ended(end: LinkEnd): void {
    if (this.#over) return;
    // A worker that ends by itself reports why first, but its end can overtake the report.
    if (end.how !== "killed") {
      for (let last = receiveMessageOnPort(this.#port); last; last = receiveMessageOnPort(this.#port)) {
        this.#receive(last.message);
        if (this.#over) return;
      }
    }
    this.#over = true;
    this.#port.close();
    this.#helloDone?.(new Error(end.detail));
    this.#helloDone = undefined;
    this.#abort();
    this.#resolveGone();
    this.onEnd?.(end);
  }

  #receive(data: unknown): void {
    if (this.#over) return;
    if (this.#helloDone) this.#readHello(data);
    else this.onFrame?.(data);
  }

  /** Reads the first frame of a worker that has not run any plugin code yet. */
  #readHello(data: unknown): void {
    const done = this.#helloDone;
    this.#helloDone = undefined;
    try {
      const { messages } = decodeUp(routeHeader(this.route), data);
      const hello = readUpMessage(messages[0]);
      if (hello.kind !== "hello") throw new ProtocolViolation("the first message is not a hello");
      if (hello.protocol !== PROTOCOL_VERSION || hello.runtime !== RUNTIME_VERSION) {
        throw new Error(
          `the worker speaks protocol ${hello.protocol} of runtime ${hello.runtime}, the host ${PROTOCOL_VERSION} of ${RUNTIME_VERSION}`,
        );
      }
      done?.(hello.thread);
    } catch (error) {
      done?.(error instanceof Error ? error : new Error("no hello"));
      this.kill("invalid hello");
    }
  }
}

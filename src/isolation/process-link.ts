/** A link to a worker in a host process: frames over the worker's own stream, and hints about what is running. */
import type { CellReader, Isolation, Link, LinkEnd } from "./link.js";
import type { ProfileKind } from "./profiling.js";
import type { WallName } from "./walls/wall.js";
import type { WorkerStream } from "./worker-stream.js";

/** What a link needs of its worker's host process. */
export interface LinkCarrier {
  readonly isolation: Isolation;
  readonly wall: WallName;
  readonly pid: number | undefined;
  readonly residentMb: number;
  /** Called before each frame; the worker's cell is asked for until the worker sends a frame back. May terminate `link`. */
  sending(link: ProcessLink): void;
  /**
   * Resolves once the process's main thread has reported the cells, as they are now. `frames`: what the worker of `route` must have
   * received, if that is known.
   */
  passedOn(route: number, frames: number | undefined): Promise<void>;
  /** Profiles the worker behind `route`. Resolves with what the process sent, unread. */
  profile(route: number, of: ProfileKind, ms: number, gone: AbortSignal | undefined): Promise<string>;
  /** Terminates the worker behind `route`. */
  killWorker(route: number): void;
  /** Terminates the worker of `link` for a fault of its own; a dedicated process ends with it. */
  failWorker(link: ProcessLink, why: string): void;
}

export class ProcessLink implements Link {
  readonly route: number;
  onFrame: ((data: unknown) => void) | undefined;
  onEnd: ((end: LinkEnd) => void) | undefined;
  /** Called once, before `onEnd`. */
  onGone: (() => void) | undefined;
  /** Called when its worker is truly gone: later than `onGone` if it was terminated inside a native call. */
  onLeft: (() => void) | undefined;
  readonly cell: CellReader;
  /** True until the worker has sent a frame after the last one that it was sent. */
  silent = false;
  /** True if it has sent no frame since this was set. Under load a link is silent most of the time, and rarely quiet. */
  quiet = false;
  readonly passedOn: (() => Promise<void>) | undefined;
  readonly #carrier: LinkCarrier;
  readonly #stream: WorkerStream;
  /** Frames sent. */
  #frames = 0;
  #running = 0;
  #started = 0;
  #busyMs = 0;
  #failed = false;
  #over = false;

  constructor(route: number, carrier: LinkCarrier, stream: WorkerStream) {
    this.route = route;
    this.#carrier = carrier;
    this.#stream = stream;
    if (carrier.isolation === "process")
      this.passedOn = () => carrier.passedOn(route, stream.unread === 0 ? this.#frames : undefined);
    this.cell = { running: () => this.#running, started: () => this.#started };
  }

  get isolation(): Isolation {
    return this.#carrier.isolation;
  }

  get wall(): WallName {
    return this.#carrier.wall;
  }

  get pid(): number | undefined {
    return this.#carrier.pid;
  }

  get residentMb(): number {
    return this.#carrier.residentMb;
  }

  get busyMs(): number {
    return this.#busyMs;
  }

  send(frame: string): void {
    if (this.#over) return;
    this.#carrier.sending(this);
    if (this.#failed) return;
    this.silent = true;
    this.#frames++;
    this.#stream.send(frame);
  }

  profile(of: ProfileKind, ms: number, gone?: AbortSignal): Promise<string> {
    if (this.#over) return Promise.reject(new Error("its worker has ended"));
    return this.#carrier.profile(this.route, of, ms, gone);
  }

  kill(detail: string): void {
    if (this.#over) return;
    this.#carrier.killWorker(this.route);
    this.ended({ how: "killed", detail });
  }

  /** Terminates the worker for a fault of its own. Nothing more is sent or read; `onEnd` follows in a later turn. */
  fail(why: string): void {
    if (this.#over || this.#failed) return;
    this.#failed = true;
    this.#stream.stop();
    this.#carrier.failWorker(this, why);
  }

  /** Bytes that the worker has not taken yet. */
  get unread(): number {
    return this.#stream.unread;
  }

  /** Delivers a frame of this worker. */
  received(data: unknown): void {
    this.silent = false;
    this.quiet = false;
    if (!this.#over) this.onFrame?.(data);
  }

  /** Stores what the host process reports of the worker's cell. */
  told(running: number, started: number): void {
    this.#running = running;
    this.#started = started;
  }

  /** Stores how long the worker's loop has been busy, as the host process reports it. */
  toldBusy(ms: number): void {
    if (ms > this.#busyMs) this.#busyMs = ms;
  }

  /** Called when the worker's thread has exited by itself. Its last frames may still be on their way: `gone` follows them. */
  exited(end: LinkEnd, gone: () => void): void {
    this.#stream.drain(() => {
      gone();
      this.ended(end);
      this.left();
    });
  }

  /** Called when the worker's thread has exited. */
  left(): void {
    this.#stream.close();
    this.onLeft?.();
  }

  /** Called when the worker, or its whole process, has ended. */
  ended(end: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.stop();
    // It is unknown which calls had started, so all of them count as started.
    if (end.how === "process") this.#started = Number.MAX_SAFE_INTEGER;
    this.onGone?.();
    this.onEnd?.(end);
  }
}

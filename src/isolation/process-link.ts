/** A link to a worker in a host process: frames over that process's stream, and hints about what is running. */
import type { CellReader, Isolation, Link, LinkEnd } from "./link.js";
import type { ProfileKind } from "./profiling.js";
import type { WallName } from "./walls/wall.js";

/** What a link needs of its worker's host process. */
export interface LinkCarrier {
  readonly isolation: Isolation;
  readonly wall: WallName;
  readonly pid: number | undefined;
  readonly residentMb: number;
  send(frame: string): void;
  /** Resolves once the process's main thread has forwarded what it was sent. */
  passedOn(): Promise<void>;
  /** Profiles the worker behind `route`. */
  profile(route: number, of: ProfileKind, ms: number): Promise<string>;
  /** Terminates the worker behind `route`. */
  killWorker(route: number): void;
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
  readonly passedOn: (() => Promise<void>) | undefined;
  readonly #carrier: LinkCarrier;
  #running = 0;
  #started = 0;
  #busyMs = 0;
  #over = false;

  constructor(route: number, carrier: LinkCarrier) {
    this.route = route;
    this.#carrier = carrier;
    if (carrier.isolation === "process") this.passedOn = () => carrier.passedOn();
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
    if (!this.#over) this.#carrier.send(frame);
  }

  profile(of: ProfileKind, ms: number): Promise<string> {
    if (this.#over) return Promise.reject(new Error("its worker has ended"));
    return this.#carrier.profile(this.route, of, ms);
  }

  kill(detail: string): void {
    if (this.#over) return;
    this.#carrier.killWorker(this.route);
    this.ended({ how: "killed", detail });
  }

  /** Delivers a frame of this worker. */
  received(data: unknown): void {
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

  /** Called when the worker's thread has exited. */
  left(): void {
    this.onLeft?.();
  }

  /** Called when the worker, or its whole process, has ended. */
  ended(end: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    // It is unknown which calls had started, so all of them count as started.
    if (end.how === "process") this.#started = Number.MAX_SAFE_INTEGER;
    this.onGone?.();
    this.onEnd?.(end);
  }
}

/** One host process as the platform sees it: started behind its wall, reached over its streams, watched, terminated. */
import type { Socket } from "node:net";
import type { ControlDown, ControlUp } from "./control.js";
import { HostStream } from "./host-stream.js";
import { Intake } from "./intake.js";
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";
import { ProcessWorkers, type WorkersHost } from "./process-workers.js";
import { WalledChild } from "./walled-child.js";
import type { Wall, WallName } from "./walls/wall.js";
import { Watchdog } from "./watchdog.js";

export interface HostProcessOptions {
  readonly wall: Wall;
  /** "dedicated": it holds one worker only. */
  readonly isolation: "process" | "dedicated";
  /** Limits on writable memory (hard) and resident memory (watched), in mebibytes. */
  readonly dataMb: number;
  readonly residentMb: number;
  /** Memory class of the worker it prepares before one is requested. */
  readonly warmMb: number;
  /** Called when it has ended, before its links are told. Returns whether several plugins ran in it. */
  readonly ending: (why: string) => boolean;
  /** Called when a terminated worker still runs native code: at its neighbours' expense, and it may end the whole process. */
  readonly lingering?: () => void;
}

export class HostProcess implements WorkersHost {
  readonly isolation: "process" | "dedicated";
  readonly wall: WallName;
  readonly intake: Intake = new Intake();
  /** Resolves when it accepts requests for workers; rejects when it ended first. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<string>;
  readonly #options: HostProcessOptions;
  readonly #child: WalledChild;
  /** Undefined until the process is started. */
  #stream: HostStream | undefined;
  readonly #workers: ProcessWorkers;
  readonly #watchdog: Watchdog;
  #why: string | undefined;
  #memory = false;
  #over = false;
  #failed = true;
  #settleReady: { resolve(): void; reject(error: Error): void } | undefined;
  #settleEnded: (why: string) => void = () => {};

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.isolation = options.isolation;
    this.wall = options.wall.name;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    const slots = options.isolation === "dedicated" ? 1 : WALLS.slots;
    this.#child = new WalledChild(options.wall.command(options.dataMb), slots);
    this.#child.onStart = (link, sockets) => this.#start(link, sockets);
    this.#child.onEnd = (how) => this.#end(how);
    this.#workers = new ProcessWorkers(this, slots);
    const late = setTimeout(() => this.fail(`it was not ready within ${WALLS.readyMs} ms`), WALLS.readyMs);
    const ready = (): void => clearTimeout(late);
    this.ready.then(ready, ready);
    this.#watchdog = this.#watch(options.residentMb);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its resident memory at the last check, in mebibytes. */
  get residentMb(): number {
    return this.#watchdog.residentMb;
  }

  /** True unless the host itself ended it. */
  get failed(): boolean {
    return this.#failed;
  }

  get alive(): boolean {
    return !this.#over && this.#why === undefined;
  }

  /** Workers that it can still open. */
  get slots(): number {
    return this.#workers.slots;
  }

  /** True while a terminated worker has not exited. */
  get leaving(): boolean {
    return this.#workers.leaving;
  }

  /** Opens a worker of a memory class. `alone`: it is the last one here. Rejects when none becomes ready. */
  open(memoryMb: number, alone: boolean): Promise<ProcessLink> {
    if (!this.alive) return Promise.reject(new Error(this.#why ?? "its host process has ended"));
    return this.#workers.open(memoryMb, alone);
  }

  /** Lowers its priority from now on: it is a spare, or the plugin that runs here is known to misbehave. */
  giveWay(): void {
    this.#child.giveWay();
  }

  /** Gives it the platform's own priority again. */
  comeForward(): void {
    this.#child.comeForward();
  }

  control(message: ControlDown): void {
    if (!this.#over) this.#stream?.control(message);
  }

  replied(): Promise<void> {
    return this.#watchdog.replied();
  }

  lingering(): void {
    this.#options.lingering?.();
  }

  /** Terminates it, with everything in it, by the host's decision. Idempotent. */
  kill(why: string): void {
    if (!this.alive) return;
    this.#failed = false;
    this.#stop(why);
  }

  fail(why: string): void {
    if (this.alive) this.#stop(why);
  }

  #start(link: Socket, sockets: readonly Socket[]): void {
    this.#workers.supply(sockets);
    this.#stream = new HostStream(link, this.intake, {
      control: (message) => this.#told(message),
      violation: (why) => this.fail(why),
    });
    this.control({ kind: "warm", memoryMb: this.#options.warmMb, slots: sockets.length });
  }

  #stop(why: string): void {
    this.#why = why;
    this.#workers.stop();
    this.#stream?.stop();
    this.#child.kill();
  }

  #watch(limitMb: number): Watchdog {
    const child = this.#child;
    const ready = (): boolean => this.#settleReady === undefined;
    const dedicated = this.isolation === "dedicated";
    return new Watchdog(
      {
        get pid() {
          return child.pid;
        },
        get ready() {
          return ready();
        },
        ping: (id) => this.control({ kind: "ping", id }),
        used: dedicated ? (ms) => this.#workers.used(ms) : undefined,
        outgrown: (why) => {
          this.#memory = true;
          this.fail(why);
        },
        silent: (why) => this.fail(why),
      },
      limitMb,
    );
  }

  #told(message: ControlUp): void {
    if (message.kind === "ready") {
      this.#settleReady?.resolve();
      this.#settleReady = undefined;
    } else if (message.kind === "pong") this.#watchdog.pong(message.id);
    else this.#workers.told(message);
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#watchdog.stop();
    this.#stream?.stop();
    const why = this.#why ?? `it ended by itself (${how})`;
    const shared = this.#options.ending(why);
    this.#settleReady?.reject(new Error(why));
    this.#settleReady = undefined;
    const tell = this.#workers.ended(why);
    this.#settleEnded(why);
    tell({ how: this.#memory && !shared ? "memory" : "process", detail: why, shared });
  }
}

/** A process that the spawner has started, as the platform knows it from the spawner's reports. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Child, ChildEvents } from "./child.js";
import { type ChildSpec, gateOf } from "./spec.js";

/** What the process's spawner does for it. */
export interface ChildOrders {
  kill(): void;
  /** Called when it starts or stops keeping the platform's process running. */
  holds(held: boolean): void;
}

export class SpawnedChild implements Child {
  readonly #spec: ChildSpec;
  readonly #events: ChildEvents;
  readonly #orders: ChildOrders;
  readonly #streams: (Socket | undefined)[] = [];
  #pid: number | undefined;
  /** Distinguishes it from a later process with the same PID. */
  #born: string | undefined;
  #started = false;
  #killed = false;
  #held = true;
  #over = false;

  constructor(spec: ChildSpec, events: ChildEvents, orders: ChildOrders) {
    this.#spec = spec;
    this.#events = events;
    this.#orders = orders;
    orders.holds(true);
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  /** True until the spawner has started it, or failed to. */
  get starting(): boolean {
    return this.#pid === undefined && !this.#over;
  }

  kill(): void {
    if (this.#over) return;
    this.#killed = true;
    if (this.#pid !== undefined) this.#orders.kill();
  }

  hold(held: boolean): void {
    if (this.#over || held === this.#held) return;
    this.#held = held;
    this.#orders.holds(held);
  }

  /** Takes one of its streams. */
  stream(descriptor: number, socket: Socket | undefined): void {
    socket?.on("error", () => {});
    this.#streams[descriptor] = socket;
  }

  /** Called when all streams have been sent. The process waits at its gate; one that is to be killed never passes it. */
  started(pid: number): void {
    this.#pid = pid;
    this.#born = bornAt(pid);
    const missing = this.#spec.streams.some((one, descriptor) => one === "pipe" && !this.#streams[descriptor]);
    if (this.#killed || missing) this.#orders.kill();
    if (missing) this.failed("no process can be started: too many open files");
    if (this.#killed || missing) return;
    this.#started = true;
    this.#streams[gateOf(this.#spec.streams)]?.write("\n");
    this.#events.started(this.#streams);
  }

  failed(why: string): void {
    if (!this.#end()) return;
    for (const stream of this.#streams) stream?.destroy();
    this.#events.failed(why);
  }

  ended(how: string): void {
    if (!this.#end()) return;
    const open = this.#streams.filter((stream) => stream !== undefined && !stream.closed) as Socket[];
    this.#events.exited(how);
    let left = open.length;
    if (left === 0) this.#events.closed();
    for (const stream of open) {
      stream.once("close", () => {
        if (--left === 0) this.#events.closed();
      });
      // An unread stream would never close.
      if (this.#started) stream.resume();
      else stream.destroy();
    }
  }

  /** Kills the process after its spawner has ended: nothing would report the end of the process any more. */
  lost(why: string): void {
    if (this.starting) {
      this.failed(why);
      return;
    }
    if (this.#pid !== undefined && this.#born !== undefined && this.#born === bornAt(this.#pid)) {
      try {
        process.kill(this.#spec.group ? -this.#pid : this.#pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    this.ended(why);
  }

  /** Returns false if it was over already. */
  #end(): boolean {
    if (this.#over) return false;
    if (this.#held) this.#orders.holds(false);
    this.#over = true;
    return true;
  }
}

/** Returns the start time of a process in clock ticks since boot; undefined if the process has ended or /proc is not mounted. */
function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

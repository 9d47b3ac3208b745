/** Watches a host process: its resident memory, its CPU time, and whether its main thread replies to pings. */
import { WALLS } from "./limits.js";
import { cpuMs, residentMb } from "./proc.js";

export interface Watched {
  /** Its PID; undefined until the wall has reported it. */
  readonly pid: number | undefined;
  /** True once it accepts requests; it is not pinged before. */
  readonly ready: boolean;
  ping(id: number): void;
  /** Receives its CPU time in milliseconds; absent where several workers share the process. */
  readonly used?: ((ms: number) => void) | undefined;
  /** Called when its resident memory exceeds `limitMb` MiB. */
  outgrown(why: string): void;
  /** Called when its main thread has not replied for too long. */
  silent(why: string): void;
}

export class Watchdog {
  readonly #watched: Watched;
  readonly #limitMb: number;
  readonly #timer: NodeJS.Timeout;
  #residentMb = 0;
  #nextId = 1;
  /** The ping that awaits its pong. */
  #pinged: number | undefined;
  #pingAt = 0;
  #checkedAt = performance.now();
  /** Callers of `replied`, by the id of their ping. */
  readonly #awaited = new Map<number, () => void>();

  /** `limitMb`: the most resident memory, in mebibytes. */
  constructor(watched: Watched, limitMb: number) {
    this.#watched = watched;
    this.#limitMb = limitMb;
    this.#timer = setInterval(() => this.#check(), WALLS.watchMs);
    // This timer alone must not keep the platform's process alive for a host that nothing else uses.
    this.#timer.unref();
  }

  /** Its resident memory at the last check, in mebibytes. */
  get residentMb(): number {
    return this.#residentMb;
  }

  /** Resolves once its main thread has replied to a ping sent now; never, if it ends first. */
  replied(): Promise<void> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      this.#awaited.set(id, resolve);
      this.#watched.ping(id);
    });
  }

  pong(id: number): void {
    if (id === this.#pinged) this.#pinged = undefined;
    this.#awaited.get(id)?.();
    this.#awaited.delete(id);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#awaited.clear();
  }

  #check(): void {
    const now = performance.now();
    const { pid, ready, used } = this.#watched;
    this.#residentMb = pid === undefined ? 0 : residentMb(pid);
    if (this.#residentMb > this.#limitMb) {
      this.#watched.outgrown(`its host process grew beyond ${this.#limitMb} MiB`);
      return;
    }
    if (used !== undefined && pid !== undefined) used(cpuMs(pid));
    const stalledMs = now - this.#checkedAt - WALLS.watchMs;
    this.#checkedAt = now;
    if (!ready) return;
    if (this.#pinged !== undefined) {
      // While the platform's own loop was stalled, replies may have arrived that are not read yet.
      if (stalledMs > WALLS.watchMs) this.#pingAt += stalledMs;
      if (now - this.#pingAt >= WALLS.pongMs)
        this.#watched.silent(`its main thread did not respond for ${WALLS.pongMs} ms`);
    } else if (now - this.#pingAt >= WALLS.pingMs) {
      this.#pinged = this.#nextId++;
      this.#pingAt = now;
      this.#watched.ping(this.#pinged);
    }
  }
}

/** The host processes that run: started at a limited rate, first for plugins with a clean record, with a spare of each kind. */

import { within } from "../common/within.js";
import { HostProcess } from "./host-process.js";
import { THREADS, WALLS } from "./limits.js";
import { memoryClass } from "./memory-class.js";
import { mayRaisePriority } from "./proc.js";
import { QuietStarts } from "./quiet-starts.js";
import { Tenants } from "./tenants.js";
import type { Wall } from "./walls/wall.js";

export type Kind = "process" | "dedicated";

/** Memory class of workers prepared ahead, in mebibytes: the default class. */
export const WARM_MB = 32;

/** One host process of the pool. */
export interface PooledProcess {
  readonly process: HostProcess;
  readonly kind: Kind;
  readonly wall: Wall;
  readonly tenants: Tenants;
  /** True for a shared one that takes no new plugins: no further worker became ready in it, or its wall is that of an earlier policy. */
  retired: boolean;
}

export class HostProcessPool {
  readonly #failed: (one: PooledProcess, why: string) => void;
  readonly #keepsSpares: boolean;
  readonly #all = new Set<PooledProcess>();
  readonly #spares = new Map<Kind, PooledProcess>();
  readonly #later = new QuietStarts<Kind>(WALLS.spareQuietMs);
  #starting = 0;
  /** Queue of starts of dedicated processes: plugins with a clean record first. */
  readonly #queue: Array<{ readonly clean: boolean; go(): void }> = [];
  #closed = false;

  /** `failed`: called when a process has ended and the host did not end it. `keepsSpares`: for tests; false leaves spares out. */
  constructor(failed: (one: PooledProcess, why: string) => void, keepsSpares: boolean) {
    this.#failed = failed;
    this.#keepsSpares = keepsSpares;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Lists all but the spares. */
  *inUse(): Generator<PooledProcess> {
    for (const one of this.#all) if (this.#spares.get(one.kind) !== one) yield one;
  }

  /** Terminates all processes; stops waiting for their ends after a while. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#later.close();
    for (const { process } of this.#all) process.kill("the host is closing");
    await within(THREADS.endMs, Promise.all([...this.#all].map(({ process }) => process.ended)));
  }

  /** True while a shared process, the spare included, takes new plugins. */
  get accepting(): boolean {
    return [...this.#all].some(({ kind, process, retired }) => kind === "process" && process.alive && !retired);
  }

  /** Returns an empty shared process: the spare, or a new one. */
  shared(wall: Wall): PooledProcess {
    return this.#takeSpare(wall, "process") ?? this.#start(wall, "process", WARM_MB);
  }

  /**
   * Returns an empty dedicated process; spares are only for plugins with a clean record. Starts of plugins that keep ending
   * would take CPU time from the others: they are not prepared ahead, and leave one start slot free.
   */
  async dedicated(wall: Wall, memoryMb: number, clean: boolean): Promise<PooledProcess> {
    const spare = clean && memoryMb <= WARM_MB ? this.#takeSpare(wall, "dedicated") : undefined;
    if (spare) return spare;
    // Many concurrent starts only delay each other.
    while (this.#starting >= WALLS.starting - (clean ? 0 : 1)) await this.#queued(clean);
    try {
      return this.#start(wall, "dedicated", memoryMb);
    } catch (error) {
      // No process was started whose readiness would wake the next waiter.
      this.#queue.shift()?.go();
      throw error;
    }
  }

  /**
   * Keeps one spare ready, so that a replacement costs milliseconds. Starts it after a quiet time, at a low priority if that can
   * be raised again, since work that is waited for goes first. `now`: starts it at once, since it is about to be used.
   */
  keepSpare(wall: Wall, kind: Kind, now = false): void {
    if (this.#closed || !this.#keepsSpares || this.#spares.get(kind)?.process.alive) return;
    if (!now) this.#later.want(kind, () => this.#startLater(wall, kind));
    else if (this.#starting < WALLS.starting) this.#startSpare(wall, kind);
  }

  #startLater(wall: Wall, kind: Kind): void {
    if (this.#starting > 0) this.keepSpare(wall, kind);
    else if (!this.#spares.get(kind)?.process.alive) {
      const spare = this.#startSpare(wall, kind);
      if (mayRaisePriority()) spare?.process.giveWay();
    }
  }

  #startSpare(wall: Wall, kind: Kind): PooledProcess | undefined {
    let spare: PooledProcess;
    try {
      spare = this.#start(wall, kind, WARM_MB);
    } catch {
      // Nothing can be started now; the next request reports the error.
      return undefined;
    }
    this.#spares.set(kind, spare);
    void spare.process.ended.then(() => {
      if (this.#spares.get(kind) === spare) this.#spares.delete(kind);
    });
    return spare;
  }

  /** Retires the processes behind other walls: they take no new plugins, and those inside stay until they are reloaded. */
  retireBehindOthers(wall: Wall): void {
    for (const one of this.#all) {
      if (one.wall === wall) continue;
      if (one.kind === "process") one.retired = true;
      if (one === this.#spares.get(one.kind)) one.process.kill("the policy demands another wall");
      else this.vacate(one);
    }
  }

  /** Kills a retired process once its last tenant has left. */
  vacate(one: PooledProcess): void {
    if (one.retired && one.tenants.size === 0) one.process.kill("its last plugin has left");
  }

  #queued(clean: boolean): Promise<void> {
    return new Promise((go) => {
      const unclean = clean ? this.#queue.findIndex((one) => !one.clean) : -1;
      this.#queue.splice(unclean < 0 ? this.#queue.length : unclean, 0, { clean, go });
    });
  }

  #takeSpare(wall: Wall, kind: Kind): PooledProcess | undefined {
    const spare = this.#spares.get(kind);
    if (spare === undefined) return undefined;
    this.#spares.delete(kind);
    if (spare.wall === wall) {
      if (!spare.process.alive) return undefined;
      spare.process.comeForward();
      return spare;
    }
    spare.process.kill("the policy demands another wall");
    return undefined;
  }

  #start(wall: Wall, kind: Kind, memoryMb: number): PooledProcess {
    const size = memoryClass(memoryMb);
    const shared = kind === "process";
    const tenants = new Tenants();
    const process = new HostProcess({
      wall,
      isolation: kind,
      dataMb: shared ? WALLS.dataMbShared : WALLS.dataMbDedicated + 2 * size,
      residentMb: shared ? WALLS.residentMbShared : WALLS.residentMbDedicated + 2 * size,
      warmMb: memoryMb,
      ending: (why) => {
        const several = tenants.residents().length > 1;
        if (!this.#closed && process.failed) this.#failed(one, why);
        return several;
      },
      lingering: () => {
        for (const { move } of tenants.residents()) move();
      },
    });
    const one: PooledProcess = { process, kind, wall, tenants, retired: false };
    this.#all.add(one);
    this.#later.busy();
    this.#starting++;
    const settled = (): void => {
      this.#starting--;
      this.#queue.shift()?.go();
    };
    process.ready.then(settled, settled);
    void process.ended.then(() => this.#all.delete(one));
    return one;
  }
}

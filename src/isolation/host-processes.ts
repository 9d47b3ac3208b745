/** Launchers of isolation "process" and "dedicated": they choose the host process for a plugin's worker and keep spares. */

import { RESTARTS } from "../common/limits.js";
import { messageOf } from "../common/text.js";
import { within } from "../common/within.js";
import { DriverError } from "../driverapi/errors.js";
import { LIMITS } from "../protocol/limits.js";
import { HostProcess } from "./host-process.js";
import { MEMORY_CLASSES, THREADS, WALLS } from "./limits.js";
import type { Launcher, LaunchRequest, Link } from "./link.js";
import type { ProcessLink } from "./process-link.js";
import type { SandboxPolicy, Wall } from "./walls/wall.js";

export interface HostProcessesOptions {
  /** Returns the wall that the policy in force demands. Read before every worker starts, so a changed policy changes the wall. */
  readonly demanded: () => SandboxPolicy;
  /** Raises the wall on first use. Rejects with `ERR_ISOLATION_UNAVAILABLE`. */
  readonly wall: (demanded: SandboxPolicy) => Promise<Wall>;
  /**
   * Called when a host process ended that the host did not end. `plugins`: those that ran there; `alone`: those that run
   * alone from now on.
   */
  readonly aborted: (end: {
    readonly why: string;
    readonly plugins: readonly string[];
    readonly alone: readonly string[];
  }) => void;
}

type Kind = "process" | "dedicated";

/** Memory class of workers prepared ahead, in mebibytes: the default class. */
const WARM_MB = 32;

export class HostProcesses {
  readonly #options: HostProcessesOptions;
  readonly #all = new Set<HostProcess>();
  readonly #spares = new Map<Kind, HostProcess>();
  /** Shared ones in which no further worker became ready, or whose wall is another policy's. */
  readonly #retired = new WeakSet<HostProcess>();
  /** Plugins that run alone because of an end of the host process they were in. */
  readonly #alone = new Set<string>();
  #aborts: number[] = [];
  #starting = 0;
  /** Queue of starts of host processes: plugins with a clean record first. */
  readonly #turns: Array<{ readonly clean: boolean; go(): void }> = [];
  #closed = false;
  /** The wall in use, and all that were raised: processes behind an earlier one may still be running. */
  #wall: { readonly demanded: SandboxPolicy; readonly raised: Promise<Wall> } | undefined;
  readonly #raisedWalls = new Set<Wall>();
  readonly #behind = new WeakMap<HostProcess, Wall>();

  constructor(options: HostProcessesOptions) {
    this.#options = options;
  }

  /** Returns the launcher of one of the two. */
  launcher(kind: Kind): Launcher {
    return {
      launch: (request) => this.#launch(kind, request),
      warm: (memoryMb) => this.#warm(kind, memoryMb),
      live: () => this.#all.size,
      close: () => this.close(),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const one of this.#all) one.kill("the host closes");
    await within(THREADS.endMs, Promise.all([...this.#all].map((one) => one.ended)));
    await this.#wall?.raised.catch(() => undefined);
    for (const wall of this.#raisedWalls) wall.release();
    this.#raisedWalls.clear();
    this.#wall = undefined;
  }

  /** Starts a spare. A wall that cannot be raised is reported when a worker is requested. */
  #warm(kind: Kind, memoryMb: number): void {
    if (this.#closed || memoryMb > WARM_MB) return;
    const lives = (one: HostProcess): boolean => one.isolation === kind && one.alive && !this.#retired.has(one);
    if (kind === "process" && [...this.#all].some(lives)) return;
    this.#raised().then(
      (wall) => this.#spare(wall, kind),
      () => {},
    );
  }

  async #launch(kind: Kind, request: LaunchRequest): Promise<Link> {
    const { plugin } = request;
    if (this.#closed) throw new DriverError("ERR_HOST_CLOSED", "the host is closed", { plugin });
    const wall = await this.#raised();
    const started = performance.now();
    for (let again = false; ; again = true) {
      try {
        return await this.#settle(wall, kind, request);
      } catch (error) {
        // A worker that never becomes ready is the fault of the process or of its other tenants: the plugin has not run any
        // code yet.
        if (!again && !this.#closed && performance.now() - started < WALLS.readyMs / 2) continue;
        throw new DriverError(
          "ERR_PLUGIN_START",
          `plugin "${plugin}": no worker became ready: ${messageOf(error)}`.slice(0, LIMITS.messageChars),
          { plugin },
        );
      }
    }
  }

  async #settle(wall: Wall, kind: Kind, request: LaunchRequest): Promise<Link> {
    const { plugin, memoryMb, clean = () => true, crashes = () => 0, move = () => {} } = request;
    const crashed = crashes() >= WALLS.crashesUntilAlone;
    const alone = kind === "dedicated" || this.#alone.has(plugin) || crashed;
    const home = alone ? await this.#dedicated(wall, memoryMb, !crashed) : this.#shared(wall, clean());
    if (crashed) home.giveWay();
    const place = Symbol(plugin);
    home.tenants.set(place, { plugin, clean, move: () => {} });
    try {
      await home.ready;
      if (this.#closed) throw new Error("the host closes");
      const link = await home.open(memoryMb, alone);
      home.tenants.set(link, { plugin, clean, move });
      return this.#kept(home, link);
    } catch (error) {
      if (alone) home.kill("no worker became ready");
      else this.#retired.add(home);
      throw error;
    } finally {
      home.tenants.delete(place);
      this.#vacate(home);
      this.#spare(wall, alone ? "dedicated" : "process");
    }
  }

  /** Returns the link for its session; frees its place when its worker is gone. */
  #kept(home: HostProcess, link: ProcessLink): Link {
    link.onGone = () => {
      if (home.isolation === "dedicated") home.kill("its worker has ended");
    };
    link.onLeft = () => {
      home.tenants.delete(link);
      this.#vacate(home);
    };
    return link;
  }

  /** Kills a retired host process once its last tenant has left. */
  #vacate(home: HostProcess): void {
    if (this.#retired.has(home) && home.tenants.size === 0) home.kill("nobody lives there any more");
  }

  #raised(): Promise<Wall> {
    const demanded = this.#options.demanded();
    if (this.#wall?.demanded === demanded) return this.#wall.raised;
    const raised = this.#options.wall(demanded).then((wall) => {
      this.#raisedWalls.add(wall);
      this.#leave(wall);
      return wall;
    });
    const mine = { demanded, raised };
    this.#wall = mine;
    // A wall that cannot be raised now is tried again at the next load: the missing part may be installed by then.
    raised.catch(() => {
      if (this.#wall === mine) this.#wall = undefined;
    });
    return raised;
  }

  /** Retires the processes behind other walls: they take no new plugins, and those inside stay until they are reloaded. */
  #leave(wall: Wall): void {
    for (const one of this.#all) {
      if (this.#behind.get(one) === wall) continue;
      if (one.isolation === "process") this.#retired.add(one);
      if (one === this.#spares.get(one.isolation)) one.kill("the policy demands another wall");
      else this.#vacate(one);
    }
  }

  /** Finds a shared process. Plugins with a clean record share processes only with each other, and so do the others. */
  #shared(wall: Wall, clean: boolean): HostProcess {
    for (const one of this.#all) {
      if (one.isolation !== "process" || !one.alive || this.#spares.get("process") === one) continue;
      if (this.#behind.get(one) !== wall) continue;
      if (!this.#retired.has(one) && one.suits(clean) && one.tenants.size < WALLS.tenants) return one;
    }
    return this.#takeSpare("process", wall) ?? this.#start(wall, "process", WARM_MB);
  }

  /**
   * Finds a dedicated process; spares are only for plugins with a clean record. Starts of plugins that keep ending would take
   * CPU time from the others: they run at low priority, are not prepared ahead, and leave one start slot free.
   */
  async #dedicated(wall: Wall, memoryMb: number, clean: boolean): Promise<HostProcess> {
    const spare = clean && memoryMb <= WARM_MB ? this.#takeSpare("dedicated", wall) : undefined;
    if (spare) return spare;
    // Many concurrent starts only delay each other.
    while (this.#starting >= WALLS.starting - (clean ? 0 : 1)) await this.#turn(clean);
    try {
      return this.#start(wall, "dedicated", memoryMb);
    } catch (error) {
      // Nothing was started that could wake the next one when it is ready.
      this.#turns.shift()?.go();
      throw error;
    }
  }

  #turn(clean: boolean): Promise<void> {
    return new Promise((go) => {
      const behind = clean ? this.#turns.findIndex((one) => !one.clean) : -1;
      this.#turns.splice(behind < 0 ? this.#turns.length : behind, 0, { clean, go });
    });
  }

  #takeSpare(kind: Kind, wall: Wall): HostProcess | undefined {
    const spare = this.#spares.get(kind);
    if (spare === undefined) return undefined;
    this.#spares.delete(kind);
    if (this.#behind.get(spare) === wall) return spare.alive ? spare : undefined;
    spare.kill("the policy demands another wall");
    return undefined;
  }

  /** Keeps one spare ahead, so that a replacement costs milliseconds. */
  #spare(wall: Wall, kind: Kind): void {
    if (this.#closed || this.#spares.get(kind)?.alive || this.#starting >= WALLS.starting) return;
    let spare: HostProcess;
    try {
      spare = this.#start(wall, kind, WARM_MB);
    } catch {
      // Nothing can be started now; the next request reports the error.
      return;
    }
    this.#spares.set(kind, spare);
    void spare.ended.then(() => {
      if (this.#spares.get(kind) === spare) this.#spares.delete(kind);
    });
  }

  #start(wall: Wall, isolation: Kind, memoryMb: number): HostProcess {
    const size = MEMORY_CLASSES.find((one) => one >= memoryMb) ?? 256;
    const shared = isolation === "process";
    const one = new HostProcess({
      wall,
      isolation,
      dataMb: shared ? WALLS.dataMbShared : WALLS.dataMbDedicated + 2 * size,
      residentMb: shared ? WALLS.residentMbShared : WALLS.residentMbDedicated + 2 * size,
      warmMb: memoryMb,
      ending: (why) => {
        if (!this.#closed && one.failed) this.#aborted(one, why);
      },
    });
    this.#all.add(one);
    this.#behind.set(one, wall);
    this.#starting++;
    const settled = (): void => {
      this.#starting--;
      this.#turns.shift()?.go();
    };
    one.ready.then(settled, settled);
    void one.ended.then(() => this.#all.delete(one));
    return one;
  }

  /**
   * Handles the end of a host process. A shared one takes all its plugins along, any of which may be the cause: suspects run
   * alone from now on.
   */
  #aborted(one: HostProcess, why: string): void {
    const present = one.residents();
    const alone = new Set<string>();
    if (one.isolation === "process" && present.length > 1) {
      const now = performance.now();
      this.#aborts = [...this.#aborts.filter((at) => now - at < RESTARTS.windowMs), now];
      const all = this.#aborts.length >= WALLS.abortsUntilAlone;
      for (const { plugin, clean } of present) if (all || !clean()) alone.add(plugin);
    }
    for (const plugin of alone) this.#alone.add(plugin);
    this.#options.aborted({ why, plugins: present.map(({ plugin }) => plugin), alone: [...alone] });
  }
}

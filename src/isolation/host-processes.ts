/** Launchers of isolation "process" and "dedicated": they choose the host process for a plugin's worker. */

import { RESTARTS } from "../common/limits.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { LIMITS } from "../protocol/limits.js";
import { acquireSpawner, type SpawnerLease } from "../spawner/spawner.js";
import { HostProcessPool, type Kind, type PooledProcess, WARM_MB } from "./host-process-pool.js";
import { WALLS } from "./limits.js";
import type { Launcher, LaunchRequest, Link } from "./link.js";
import type { SandboxPolicy, Wall } from "./walls/wall.js";

export interface HostProcessesOptions {
  /** Returns the wall that the policy in force demands. Read before every worker starts, so a changed policy changes the wall. */
  readonly demanded: () => SandboxPolicy;
  /** Raises the wall on first use. Rejects with `ERR_ISOLATION_UNAVAILABLE`. */
  readonly wall: (demanded: SandboxPolicy) => Promise<Wall>;
  /**
   * Called when a host process has ended and the host did not end it. `plugins`: those that ran there; `alone`: those that run
   * alone from now on.
   */
  readonly aborted: (end: {
    readonly why: string;
    readonly plugins: readonly string[];
    readonly alone: readonly string[];
  }) => void;
  /** Called when the spawner ended by itself or cannot be started, with a sentence for the log. */
  readonly spawnerLost?: (detail: string) => void;
  /** False: no process is started before a plugin needs it. For tests. */
  readonly spares?: boolean;
}

export class HostProcesses {
  readonly #options: HostProcessesOptions;
  readonly #pool: HostProcessPool;
  /** Plugins that run alone because a host process they shared has ended. */
  readonly #alone = new Set<string>();
  #aborts: number[] = [];
  #closed = false;
  /** Undefined until a wall is raised. */
  #spawner: SpawnerLease | undefined;
  /** The wall in use, and all that were raised: processes behind an earlier one may still be running. */
  #wall: { readonly demanded: SandboxPolicy; readonly raised: Promise<Wall> } | undefined;
  readonly #raisedWalls = new Set<Wall>();

  constructor(options: HostProcessesOptions) {
    this.#options = options;
    this.#pool = new HostProcessPool((one, why) => this.#failed(one, why), options.spares ?? true);
  }

  /** Returns the launcher of one of the two isolations. */
  launcher(kind: Kind): Launcher {
    return {
      launch: (request) => this.#launch(kind, request),
      warm: (memoryMb) => this.#warm(kind, memoryMb),
      live: () => this.#pool.size,
      close: () => this.close(),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
    await this.#wall?.raised.catch(() => undefined);
    for (const wall of this.#raisedWalls) wall.release();
    this.#raisedWalls.clear();
    this.#wall = undefined;
    await this.#spawner?.release();
  }

  /** Starts a spare at once, for a plugin that is being prepared. A wall that cannot be raised is reported when a worker is requested. */
  #warm(kind: Kind, memoryMb: number): void {
    if (this.#closed || memoryMb > WARM_MB || (kind === "process" && this.#pool.accepting)) return;
    this.#raised().then(
      (wall) => this.#pool.keepSpare(wall, kind, true),
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
        return await this.#place(wall, kind, request);
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

  async #place(wall: Wall, kind: Kind, request: LaunchRequest): Promise<Link> {
    const { plugin, memoryMb, clean = () => true, crashes = () => 0, move = () => {} } = request;
    const crashed = crashes() >= WALLS.crashesUntilAlone;
    const alone = kind === "dedicated" || this.#alone.has(plugin) || crashed;
    const place = alone ? await this.#pool.dedicated(wall, memoryMb, !crashed) : this.#shared(wall, clean());
    const { process, tenants } = place;
    if (crashed) process.giveWay();
    const release = tenants.reserve({ plugin, clean, move: () => {} });
    try {
      await process.ready;
      if (this.#closed) throw new Error("the host is closing");
      const link = await process.open(memoryMb, alone);
      tenants.add(link, { plugin, clean, move });
      // A stream serves one worker only. When all are used, the workers inside stay, and the next one gets another process.
      if (process.slots === 0) place.retired = true;
      link.onGone = () => {
        if (place.kind === "dedicated") process.kill("its worker has ended");
      };
      link.onLeft = () => {
        tenants.delete(link);
        this.#pool.vacate(place);
      };
      return link;
    } catch (error) {
      if (alone) process.kill("no worker became ready");
      else place.retired = true;
      throw error;
    } finally {
      release();
      this.#pool.vacate(place);
      this.#pool.keepSpare(wall, alone ? "dedicated" : "process");
    }
  }

  #raised(): Promise<Wall> {
    const demanded = this.#options.demanded();
    if (this.#wall?.demanded === demanded) return this.#wall.raised;
    // The spawner starts while the wall is tried.
    this.#spawner ??= acquireSpawner((detail) => this.#options.spawnerLost?.(detail));
    const { settled } = this.#spawner;
    const raised = this.#options.wall(demanded).then(async (wall) => {
      await settled;
      this.#raisedWalls.add(wall);
      this.#pool.retireBehindOthers(wall);
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

  /** Finds a shared process. Plugins with a clean record share processes only with each other, and so do the others. */
  #shared(wall: Wall, clean: boolean): PooledProcess {
    for (const one of this.#pool.inUse()) {
      const { process, tenants } = one;
      if (one.kind !== "process" || one.wall !== wall || one.retired || !process.alive || process.leaving) continue;
      if (tenants.allAre(clean) && tenants.size < WALLS.tenants && tenants.coming < process.slots) return one;
    }
    return this.#pool.shared(wall);
  }

  /**
   * Handles the failure of a host process. A shared one takes all its plugins along, any of which may be the cause: suspects
   * run alone from now on.
   */
  #failed({ kind, tenants }: PooledProcess, why: string): void {
    const present = tenants.residents();
    const alone = new Set<string>();
    if (kind === "process" && present.length > 1) {
      const now = performance.now();
      this.#aborts = [...this.#aborts.filter((at) => now - at < RESTARTS.windowMs), now];
      const all = this.#aborts.length >= WALLS.abortsUntilAlone;
      for (const { plugin, clean } of present) if (all || !clean()) alone.add(plugin);
    }
    for (const plugin of alone) this.#alone.add(plugin);
    this.#options.aborted({ why, plugins: present.map(({ plugin }) => plugin), alone: [...alone] });
  }
}

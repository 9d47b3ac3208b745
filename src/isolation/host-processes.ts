/** The launchers of isolation "process" and "dedicated": which host process a plugin's worker lives in, and spares kept ahead. */
import { DriverError } from "../driverapi/errors.js";
import { LIMITS, MEMORY_CLASSES, TIMES, WALLS } from "../protocol/limits.js";
import { HostProcess } from "./host-process.js";
import type { Launcher, LaunchRequest, Link } from "./link.js";
import type { ProcessLink } from "./process-link.js";
import type { SandboxPolicy, Wall } from "./walls/wall.js";

export interface HostProcessesOptions {
  /** The wall that the policy in force demands: asked before every worker, so that another policy is another wall. */
  readonly demanded: () => SandboxPolicy;
  /** Raises it, when it is first used. Rejects with `ERR_ISOLATION_UNAVAILABLE`. */
  readonly wall: (demanded: SandboxPolicy) => Promise<Wall>;
  /** A host process ended that was not to. `plugins`: who lived there; `alone`: who lives alone from now on. */
  readonly aborted: (end: {
    readonly why: string;
    readonly plugins: readonly string[];
    readonly alone: readonly string[];
  }) => void;
}

type Kind = "process" | "dedicated";

/** Memory class of the workers that are made ready ahead, in mebibytes: the default's. */
const WARM_MB = 32;

export class HostProcesses {
  readonly #options: HostProcessesOptions;
  readonly #all = new Set<HostProcess>();
  readonly #spares = new Map<Kind, HostProcess>();
  /** Shared ones in which no further worker became ready, or that stand behind a wall of another policy. */
  readonly #retired = new WeakSet<HostProcess>();
  /** Plugins that live alone because of what happened where they lived. */
  readonly #alone = new Set<string>();
  #aborts: number[] = [];
  #starting = 0;
  /** Who waits to start a host process: plugins with a clean record first. */
  readonly #turns: Array<{ readonly clean: boolean; go(): void }> = [];
  #closed = false;
  /** The one in use, and all that were raised: behind an earlier one there may still be somebody. */
  #wall: { readonly demanded: SandboxPolicy; readonly raised: Promise<Wall> } | undefined;
  readonly #raisedWalls = new Set<Wall>();
  readonly #behind = new WeakMap<HostProcess, Wall>();

  constructor(options: HostProcessesOptions) {
    this.#options = options;
  }

  /** The launcher of one of the two. */
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
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TIMES.threadEnd);
    });
    await Promise.race([Promise.all([...this.#all].map((one) => one.ended)), patience]);
    clearTimeout(timer);
    await this.#wall?.raised.catch(() => undefined);
    for (const wall of this.#raisedWalls) wall.release();
    this.#raisedWalls.clear();
    this.#wall = undefined;
  }

  /** What cannot be raised is told to whoever asks for a worker. */
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
        // Where no worker becomes ready, the process is at fault, or what else lives there: the plugin has run nothing yet.
        if (!again && !this.#closed && performance.now() - started < WALLS.readyMs / 2) continue;
        throw new DriverError(
          "ERR_PLUGIN_START",
          `plugin "${plugin}": no worker became ready: ${error instanceof Error ? error.message : String(error)}`.slice(
            0,
            LIMITS.messageChars,
          ),
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

  /** The link, as its session sees it; its place is given up when its worker has gone. */
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

  /** One that is to give no more workers ends when nobody lives there any more. */
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
    // What cannot be raised now may be installed by the next load.
    raised.catch(() => {
      if (this.#wall === mine) this.#wall = undefined;
    });
    return raised;
  }

  /** Nobody moves in behind another wall any more; who lives there stays until it is loaded anew. */
  #leave(wall: Wall): void {
    for (const one of this.#all) {
      if (this.#behind.get(one) === wall) continue;
      if (one.isolation === "process") this.#retired.add(one);
      if (one === this.#spares.get(one.isolation)) one.kill("the policy demands another wall");
      else this.#vacate(one);
    }
  }

  /** Who has a clean record lives with such as have one too; the others, among themselves. */
  #shared(wall: Wall, clean: boolean): HostProcess {
    for (const one of this.#all) {
      if (one.isolation !== "process" || !one.alive || this.#spares.get("process") === one) continue;
      if (this.#behind.get(one) !== wall) continue;
      if (!this.#retired.has(one) && one.suits(clean) && one.tenants.size < WALLS.tenants) return one;
    }
    return this.#takeSpare("process", wall) ?? this.#start(wall, "process", WARM_MB);
  }

  /**
   * A spare is for who has a clean record. Where plugins end again and again it is their starts that take the processor from the
   * others: theirs give way from the beginning, are not made ahead, and leave one place among those being started to the rest.
   */
  async #dedicated(wall: Wall, memoryMb: number, clean: boolean): Promise<HostProcess> {
    const spare = clean && memoryMb <= WARM_MB ? this.#takeSpare("dedicated", wall) : undefined;
    if (spare) return spare;
    // Many at once only make each of them late.
    while (this.#starting >= WALLS.starting - (clean ? 0 : 1)) await this.#turn(clean);
    try {
      return this.#start(wall, "dedicated", memoryMb);
    } catch (error) {
      // Where nothing was started, nothing will be ready that wakes the next one.
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

  /** One is kept ahead, so that a replacement costs milliseconds. */
  #spare(wall: Wall, kind: Kind): void {
    if (this.#closed || this.#spares.get(kind)?.alive || this.#starting >= WALLS.starting) return;
    let spare: HostProcess;
    try {
      spare = this.#start(wall, kind, WARM_MB);
    } catch {
      // Nothing can be started now; whoever needs one will be told.
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

  /** A shared process that ended took all its plugins along, one of which may be the cause: who is under suspicion lives alone. */
  #aborted(one: HostProcess, why: string): void {
    const present = one.residents();
    const alone = new Set<string>();
    if (one.isolation === "process" && present.length > 1) {
      const now = performance.now();
      this.#aborts = [...this.#aborts.filter((at) => now - at < TIMES.breakerWindow), now];
      const all = this.#aborts.length >= WALLS.abortsUntilAlone;
      for (const { plugin, clean } of present) if (all || !clean()) alone.add(plugin);
    }
    for (const plugin of alone) this.#alone.add(plugin);
    this.#options.aborted({ why, plugins: present.map(({ plugin }) => plugin), alone: [...alone] });
  }
}

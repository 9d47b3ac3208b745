/** The child process: starts it behind a wall, and reports its PID, its last output and how it ended. */
import type { Socket } from "node:net";
import type { Child, Streams } from "../spawner/child.js";
import { startChild } from "../spawner/spawner.js";
import { WALLS } from "./limits.js";
import { lowerPriority, restorePriority } from "./proc.js";
import { killPid, readChildPid } from "./walls/child-pid.js";
import { behind } from "./walls/start.js";
import type { WallCommand } from "./walls/wall.js";
import { FIRST_SLOT } from "./worker-streams.js";

/** Time to wait for its last output after its end, in milliseconds: a descendant may hold the stream open. */
const LAST_WORDS_MS = 200;

export class WalledChild {
  /** Called once it is started, with the other ends of its descriptor 3 and of its workers' streams; not if it was killed first. */
  onStart: ((link: Socket, slots: readonly Socket[]) => void) | undefined;
  /** Called once, when it has ended: how, in words. */
  onEnd: ((how: string) => void) | undefined;
  readonly #child: Child;
  readonly #tellsPid: boolean;
  readonly #slots: number;
  #streams: Streams = [];
  #pid: number | undefined;
  #stderr = "";
  #killed = false;
  #exited = false;
  #givesWay = false;
  #late: NodeJS.Timeout | undefined;
  #over = false;

  /** `slots`: streams for workers. Default: none. Throws, or calls `onEnd`, when no process can be started. */
  constructor(command: WallCommand, slots = 0) {
    this.#tellsPid = command.tellsPid;
    this.#slots = slots;
    let how = "";
    this.#child = startChild(behind(command, { stdout: "ignore", link: true, slots }), {
      started: (streams) => this.#start(streams),
      failed: (why) => this.#end(why),
      exited: (as) => {
        how = as;
        this.#exited = true;
        setTimeout(() => this.#end(how), LAST_WORDS_MS).unref();
      },
      closed: () => this.#end(how),
    });
  }

  /** The PID behind the wall; undefined until the wall has reported it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Lowers its priority below that of other processes. */
  giveWay(): void {
    this.#givesWay = true;
    this.#setPriority();
  }

  /** Gives it the platform's own priority again. */
  comeForward(): void {
    if (!this.#givesWay) return;
    this.#givesWay = false;
    this.#setPriority();
  }

  #start(streams: Streams): void {
    this.#streams = streams;
    if (!this.#tellsPid) this.#told(this.#child.pid);
    const [, , stderr, link, status] = streams;
    if (status) readChildPid(status, (pid) => this.#told(pid));
    stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.#stderr = (this.#stderr + part).slice(0, WALLS.stderrBytes);
      // Stops reading at the limit, however much there is.
      if (this.#stderr.length === WALLS.stderrBytes) stderr.destroy();
    });
    if (link !== undefined) this.onStart?.(link, streams.slice(FIRST_SLOT, FIRST_SLOT + this.#slots) as Socket[]);
  }

  #told(pid: number | undefined): void {
    this.#pid = pid;
    if (this.#givesWay) this.#setPriority();
    if (this.#killed) this.#strike();
  }

  /** Retries: bubblewrap reports a process's PID before the process has started its session. */
  #setPriority(tries: number = WALLS.lowerTries): void {
    const givesWay = this.#givesWay;
    if (this.#pid === undefined || this.#killed || this.#exited || tries === 0) return;
    if (givesWay ? lowerPriority(this.#pid) : restorePriority(this.#pid)) return;
    setTimeout(() => {
      if (this.#givesWay === givesWay) this.#setPriority(tries - 1);
    }, WALLS.lowerMs).unref();
  }

  /** Kills it in the background; `onEnd` follows. */
  kill(): void {
    if (this.#over || this.#killed) return;
    this.#killed = true;
    // Bubblewrap's child waits for bubblewrap: killing bubblewrap before it reports the child's PID would leave the child
    // blocked forever. A bubblewrap that the spawner has not started yet has no child, and, once killed, never gets one.
    if (this.#tellsPid && this.#child.pid !== undefined && this.#pid === undefined)
      this.#late = setTimeout(() => this.#strike(), WALLS.tellsPidMs).unref();
    else this.#strike();
  }

  #strike(): void {
    clearTimeout(this.#late);
    this.#child.kill();
    if (this.#pid !== undefined && this.#pid !== this.#child.pid) killPid(this.#pid);
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#late);
    for (const stream of this.#streams) stream?.destroy();
    const words = /FATAL ERROR: [^\n]*/.exec(this.#stderr)?.[0] ?? this.#stderr.trim().split("\n").at(-1)?.trim() ?? "";
    this.onEnd?.(`${how}${words === "" ? "" : `: ${words.slice(0, 200)}`}`);
  }
}

/** The child process: starts it behind a wall, and reports its PID, its last output and how it ended. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { WALLS } from "./limits.js";
import { lowerPriority } from "./proc.js";
import { killPid, readChildPid } from "./walls/child-pid.js";
import { startBehind } from "./walls/start.js";
import type { WallCommand } from "./walls/wall.js";
import { FIRST_SLOT } from "./worker-streams.js";

/** Time to wait for its last output after its end, in milliseconds: a descendant may hold the stream open. */
const LAST_WORDS_MS = 200;

export class WalledChild {
  /** The other end of its descriptor 3. */
  readonly link: Socket;
  /** The other ends of its workers' streams. */
  readonly slots: readonly Socket[];
  /** Called once, when it has ended: how, in words. */
  onEnd: ((how: string) => void) | undefined;
  readonly #child: ChildProcess;
  readonly #tellsPid: boolean;
  #pid: number | undefined;
  #stderr = "";
  #killed = false;
  #givesWay = false;
  #late: NodeJS.Timeout | undefined;
  #over = false;

  /** `slots`: streams for workers. Default: none. Throws when no process can be started. */
  constructor(command: WallCommand, slots = 0) {
    const child = startBehind(command, { stdout: "ignore", link: true, slots });
    this.#child = child;
    this.#tellsPid = command.tellsPid;
    this.link = child.stdio[3] as Socket;
    this.slots = Array.from(
      { length: slots },
      (_, slot) => (child.stdio as readonly unknown[])[FIRST_SLOT + slot] as Socket,
    );
    if (!command.tellsPid) this.#pid = child.pid;
    const status = child.stdio[4] as Readable | null | undefined;
    if (status)
      readChildPid(status, (pid) => {
        this.#pid = pid;
        if (this.#givesWay) this.#lower();
        if (this.#killed) this.#strike();
      });
    const stderr = child.stdio[2] as Readable;
    stderr.setEncoding("utf8").on("data", (part: string) => {
      this.#stderr = (this.#stderr + part).slice(0, WALLS.stderrBytes);
      // Stops reading at the limit, however much there is.
      if (this.#stderr.length === WALLS.stderrBytes) stderr.destroy();
    });
    for (const stream of [status, stderr, this.link, ...this.slots]) stream?.on("error", () => {});
    child.once("error", (error) => this.#end(error.message));
    let how = "";
    child.once("exit", (code, by) => {
      how = by === null ? `exit ${code}` : by;
      setTimeout(() => this.#end(how), LAST_WORDS_MS).unref();
    });
    child.once("close", () => this.#end(how));
  }

  /** The PID behind the wall; undefined until the wall has reported it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Lowers its priority below that of other processes. */
  giveWay(): void {
    this.#givesWay = true;
    this.#lower();
  }

  /** Retries: bubblewrap reports a process's PID before the process has started its session. */
  #lower(tries: number = WALLS.lowerTries): void {
    const ended = this.#killed || this.#child.exitCode !== null || this.#child.signalCode !== null;
    if (this.#pid === undefined || ended || lowerPriority(this.#pid) || tries === 0) return;
    setTimeout(() => this.#lower(tries - 1), WALLS.lowerMs).unref();
  }

  /** Kills it in the background; `onEnd` follows. */
  kill(): void {
    if (this.#over || this.#killed) return;
    this.#killed = true;
    // Bubblewrap's child waits for bubblewrap: killing bubblewrap before it reports the child's PID would leave the child
    // blocked forever.
    if (this.#tellsPid && this.#pid === undefined)
      this.#late = setTimeout(() => this.#strike(), WALLS.tellsPidMs).unref();
    else this.#strike();
  }

  #strike(): void {
    clearTimeout(this.#late);
    this.#child.kill("SIGKILL");
    if (this.#pid !== undefined && this.#pid !== this.#child.pid) killPid(this.#pid);
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#late);
    for (const stream of this.#child.stdio) stream?.destroy();
    const words = /FATAL ERROR: [^\n]*/.exec(this.#stderr)?.[0] ?? this.#stderr.trim().split("\n").at(-1)?.trim() ?? "";
    this.onEnd?.(`${how}${words === "" ? "" : `: ${words.slice(0, 200)}`}`);
  }
}

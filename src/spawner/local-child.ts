/** A process that the platform itself has started. */
import type { ChildProcess } from "node:child_process";
import { type Child, type ChildEvents, howEnded, type Streams } from "./child.js";
import type { ChildSpec } from "./spec.js";
import { startHere } from "./start-here.js";

export class LocalChild implements Child {
  readonly #child: ChildProcess;
  readonly #group: boolean;
  #over = false;

  /** Throws when no process can be started. */
  constructor(spec: ChildSpec, events: ChildEvents) {
    const child = startHere(spec);
    this.#child = child;
    this.#group = spec.group === true;
    for (const stream of child.stdio) stream?.on("error", () => {});
    process.nextTick(() => {
      if (child.pid !== undefined) events.started(child.stdio as unknown as Streams);
    });
    child.once("error", (error) => {
      if (child.pid === undefined) for (const stream of child.stdio) stream?.destroy();
      events.failed(error.message);
    });
    child.once("exit", (code, signal) => {
      // A leader that ended by itself leaves the others of its group behind.
      if (this.#group) this.kill();
      this.#over = true;
      events.exited(howEnded(code, signal));
    });
    child.once("close", () => events.closed());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(): void {
    const { pid } = this.#child;
    // Its PID may be another process's by now.
    if (this.#over) return;
    if (!this.#group) this.#child.kill("SIGKILL");
    else if (pid !== undefined) killGroup(pid);
  }

  hold(held: boolean): void {
    if (held) this.#child.ref();
    else this.#child.unref();
  }
}

/** Kills a process group that may have ended already. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** One spawner process as the platform sees it. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { messageOf } from "../common/text.js";
import { within } from "../common/within.js";
import { type Child, type ChildEvents, howEnded } from "./child.js";
import { SPAWNER } from "./limits.js";
import { SpawnedChild } from "./spawned-child.js";
import type { ChildSpec, Order, Report } from "./spec.js";
import { coverInherited } from "./start-here.js";

const SCRIPT: string = fileURLToPath(new URL("./main.js", import.meta.url));

export class SpawnerProcess {
  /** Resolves when it is up, or has ended before. */
  readonly settled: Promise<void>;
  readonly #child: ChildProcess;
  readonly #children = new Map<number, SpawnedChild>();
  readonly #lost: (how: string, wasUp: boolean) => void;
  readonly #ended: Promise<void>;
  #settle: () => void = () => {};
  #over: () => void = () => {};
  #nextId = 1;
  #up = false;
  #gone = false;
  #ending = false;
  #holds = 0;
  /** Number of reports received. */
  #reports = 0;

  /** `lost`: called once, when it has ended by itself; `wasUp`: it could start processes before. Throws when it cannot be started. */
  constructor(lost: (how: string, wasUp: boolean) => void) {
    this.#lost = lost;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#ended = new Promise((resolve) => {
      this.#over = resolve;
    });
    const child = launch();
    this.#child = child;
    child.unref();
    const life = child.stdin as Socket | null;
    life?.on("error", () => {}).unref();
    this.#hold(true);
    const late = setTimeout(() => child.kill("SIGKILL"), SPAWNER.upMs).unref();
    void this.settled.then(() => {
      clearTimeout(late);
      this.#hold(false);
    });
    child.on("message", (report: Report, stream) => this.#told(report, stream as Socket | undefined));
    child.once("disconnect", () => child.kill("SIGKILL"));
    child.once("error", (error) => this.#end(error.message));
    child.once("exit", (code, signal) => this.#end(howEnded(code, signal)));
  }

  /** True while it can start processes. */
  get ready(): boolean {
    return this.#up && !this.#ending && this.#child.connected;
  }

  start(spec: ChildSpec, events: ChildEvents): Child {
    const id = this.#nextId++;
    const child = new SpawnedChild(spec, events, {
      kill: () => this.#order({ kind: "kill", id }),
      holds: (held) => this.#hold(held),
    });
    this.#children.set(id, child);
    this.#order({ kind: "start", id, spec });
    this.#expect(child);
    return child;
  }

  /** Kills the spawner if it reports nothing within `startMs`. `setImmediate`: a platform that was paused first reads waiting reports. */
  #expect(child: SpawnedChild): void {
    const heard = this.#reports;
    const judge = (): void => {
      if (!child.starting || this.#gone) return;
      if (this.#reports === heard) this.#child.kill("SIGKILL");
      else this.#expect(child);
    };
    setTimeout(() => setImmediate(judge), SPAWNER.startMs).unref();
  }

  /** Ends the spawner once all its processes have ended; waits for that up to `endMs`. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#leave();
    await within(SPAWNER.endMs, this.#ended);
  }

  #leave(): void {
    if (this.#ending && this.#children.size === 0) this.#child.stdin?.destroy();
  }

  #order(order: Order): void {
    // A closed channel needs no error here: the spawner's end is reported.
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  #told(report: Report, stream: Socket | undefined): void {
    this.#reports++;
    if (report.kind === "up") {
      this.#up = true;
      this.#settle();
      return;
    }
    const child = this.#children.get(report.id);
    if (child === undefined) {
      stream?.destroy();
      return;
    }
    if (report.kind === "stream") child.stream(report.descriptor, stream);
    else if (report.kind === "started") child.started(report.pid);
    else {
      this.#children.delete(report.id);
      if (report.kind === "failed") child.failed(report.why);
      else child.ended(howEnded(report.code, report.signal));
      this.#leave();
    }
  }

  /** Counts what keeps the platform's process running. */
  #hold(held: boolean): void {
    this.#holds += held ? 1 : -1;
    if (this.#holds > 0) this.#child.channel?.ref();
    else this.#child.channel?.unref();
  }

  #end(how: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#settle();
    this.#over();
    const children = [...this.#children.values()];
    this.#children.clear();
    if (!this.#ending) this.#lost(how, this.#up);
    for (const child of children) child.lost(`its spawner has ended: ${how}`);
  }
}

/**
 * Starts the spawner with an empty environment, in a session of its own, where a signal from the platform's terminal does not
 * reach it. It has a channel, and a standard input to which nothing is written; it ends when that input closes.
 */
function launch(): ChildProcess {
  const opened: number[] = [];
  try {
    const stdio: (number | "pipe" | "ignore" | "ipc")[] = ["pipe", "ignore", "ignore", "ipc"];
    coverInherited(stdio, (path) => {
      const file = openSync(path, "r");
      opened.push(file);
      return file;
    });
    const child = spawn(process.execPath, [`--max-old-space-size=${SPAWNER.heapMb}`, "--no-warnings", SCRIPT], {
      cwd: "/",
      detached: true,
      env: {},
      stdio: stdio as StdioOptions,
    });
    if ((child.stdio as unknown) === undefined) {
      // Without free descriptors Node reports the error a second time, by an event.
      child.on("error", () => {});
      throw new Error("too many open files");
    }
    return child;
  } catch (error) {
    throw new Error(`the spawner cannot be started: ${messageOf(error)}`);
  } finally {
    for (const file of opened) closeSync(file);
  }
}

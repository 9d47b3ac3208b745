/**
 * Runs a program that prints changes line by line: `ip monitor`, `nft monitor`. setpriv has the kernel kill it when the platform ends,
 * since it would notice a closed pipe only at its next line.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { WATCH } from "../../limits.js";
import { ENV } from "./ip-outcome.js";
import { program } from "./programs.js";

export interface MonitorOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  line(text: string): void;
  /** Called when it cannot be started, or has ended by itself; it is restarted with back-off. `why`: its words. */
  lost(why: string): void;
}

export class Monitor {
  readonly #options: MonitorOptions;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause: number = WATCH.monitorPauseMs;
  #stopped = false;
  #alive = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#start();
  }

  /** False while changes can pass unseen. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Resolves when the program has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  #start(): void {
    const setpriv = program("setpriv");
    const bound = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"];
    const [file = "", ...args] = [...bound, ...this.#options.command];
    const child = spawn(file, args, { env: ENV, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-WATCH.lineChars);
    });
    createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (text) => {
      this.#pause = WATCH.monitorPauseMs;
      if (!this.#stopped) this.#options.line(text.slice(0, WATCH.lineChars));
    });
    child.once("spawn", () => {
      this.#alive = true;
      // It must not keep the platform's process alive.
      child.unref();
      for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref?(): void }).unref?.();
    });
    child.once("error", (error) => this.#again(child, error.message));
    child.once("exit", (code, signal) => this.#again(child, said.trim() || `it ended with ${signal ?? code}`));
  }

  #again(child: ChildProcess, why: string): void {
    if (this.#stopped || this.#child !== child) return;
    this.#child = undefined;
    this.#alive = false;
    this.#options.lost(why);
    this.#timer = setTimeout(() => this.#start(), this.#pause).unref();
    this.#pause = Math.min(this.#pause * 2, WATCH.monitorPauseMaxMs);
  }
}

/**
 * The platform's side of a port holder's process. `setpriv` leaves it one capability, to bind low ports; Node's permission flags leave it
 * only its own code; it ends when its standard input closes.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isJsonObject, type Json, type JsonObject } from "../../../driverapi/json.js";
import { ENV } from "../../netlink/kernel/outcome.js";
import { serviceCommands } from "../../netlink/kernel/service-command.js";
import { HOLDER } from "../holder/limits.js";
import type { HeldPort, Order } from "../holder/messages.js";

const SCRIPT = fileURLToPath(new URL("../holder/main.js", import.meta.url));

/** The result of an order. `code`: the system's, if `host` could not be bound. */
export interface Outcome {
  readonly code?: string;
  readonly host?: string;
}

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

interface Pending {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
  readonly late: NodeJS.Timeout;
}

export class HolderProcess {
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  /** The child and its pipes, which are missing if there are no free descriptors. */
  readonly #handles: readonly Handle[];
  readonly #pending = new Map<number, Pending>();
  readonly #log: (text: string) => void;
  #ready: (() => void) | undefined;
  #next = 0;
  #stderr = "";

  private constructor(command: readonly string[], log: (text: string) => void) {
    const [file = "", ...args] = command;
    this.#log = log;
    this.#child = spawn(file, args, { cwd: "/", env: ENV, stdio: "pipe" });
    const { stdin, stdout, stderr } = this.#child;
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("close", (code, signal) => {
        const said = this.#stderr.trim().split("\n")[0] ?? "";
        resolve(`${signal ?? `exit ${code}`}${said && `: ${said}`}`);
      });
    });
    void this.ended.then((how) => this.#rejectAll(how));
    stdin.on("error", () => {});
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, HOLDER.lineChars);
    });
    createInterface({ input: stdout }).on("line", (text) => this.#hear(text));
    // It must not keep the platform running; only a pending order does.
    this.#handles = [this.#child, stdin, stdout, stderr] as unknown as readonly Handle[];
    for (const handle of this.#handles) handle.unref?.();
  }

  /** Starts a process in a namespace (a path; undefined: the platform's own). Rejects with its output if it does not become ready. */
  static async start(netns: string | undefined, log: (text: string) => void): Promise<HolderProcess> {
    const reads = ["/proc/self/limits"];
    const { few, plain } = serviceCommands({ netns, script: SCRIPT, heapMb: HOLDER.heapMb, reads });
    if (few) {
      try {
        return await HolderProcess.#started(few, log);
      } catch (error) {
        log(`it does not start with few capabilities (${(error as Error).message}), and is started with all`);
      }
    }
    return HolderProcess.#started(plain, log);
  }

  static async #started(command: readonly string[], log: (text: string) => void): Promise<HolderProcess> {
    const one = new HolderProcess(command, log);
    const ready = new Promise<undefined>((resolve) => {
      one.#ready = () => resolve(undefined);
    });
    const late = setTimeout(() => one.end(), HOLDER.readyMs);
    const how = await Promise.race([ready, one.ended]);
    clearTimeout(late);
    if (how !== undefined) throw new Error(`the port holder did not start: ${how}`);
    return one;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  hold(hold: HeldPort): Promise<Outcome> {
    return this.#ask({ id: this.#next++, hold });
  }

  async release(release: HeldPort): Promise<void> {
    await this.#ask({ id: this.#next++, release });
  }

  /** Ends the process: all its ports are free when `ended` resolves. */
  end(): void {
    this.#child.kill("SIGKILL");
    for (const handle of this.#handles) handle.ref?.();
  }

  /** Sends an order. Rejects if the process ends meanwhile; terminates it if it does not reply in time. */
  #ask(order: Order): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.end(), HOLDER.answerMs);
      this.#pending.set(order.id, { resolve, reject, late });
      this.#child.stdin.write(`${JSON.stringify(order)}\n`);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) this.#rejectAll("it has ended");
    });
  }

  #hear(text: string): void {
    const said = readLine(text);
    if (said === undefined) {
      this.end();
      return;
    }
    if (said.ready === true) this.#ready?.();
    if (typeof said.log === "string") this.#log(said.log);
    if (typeof said.id !== "number") return;
    const pending = this.#pending.get(said.id);
    this.#pending.delete(said.id);
    clearTimeout(pending?.late);
    const { code, host } = said;
    pending?.resolve(typeof code === "string" && typeof host === "string" ? { code, host } : {});
  }

  #rejectAll(how: string): void {
    for (const { reject, late } of this.#pending.values()) {
      clearTimeout(late);
      reject(new Error(`the port holder ended (${how}); try again`));
    }
    this.#pending.clear();
  }
}

/** Parses one line of its output; undefined for anything that is not a valid message. */
function readLine(text: string): JsonObject | undefined {
  if (text.length > HOLDER.lineChars) return undefined;
  try {
    const said = JSON.parse(text) as Json;
    return isJsonObject(said) ? said : undefined;
  } catch {
    return undefined;
  }
}

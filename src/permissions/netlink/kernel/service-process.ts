/**
 * The platform's side of a process of ours (`service-command.ts`), such as the port holder: orders and replies as lines of JSON. The
 * process ends when its standard input closes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { isJsonObject, type Json, type JsonObject } from "../../../driverapi/json.js";
import { LineReader } from "../../resolver/server/lines.js";
import { ENV } from "./outcome.js";
import { type Service, serviceCommands } from "./service-command.js";

/** What `ServiceProcess.start` takes. */
export interface ServiceOptions extends Service {
  /** Names it in messages: "the port holder". */
  readonly name: string;
  /** Deadline for it to be ready, in milliseconds. */
  readonly readyMs: number;
  /** Bytes of one line of its output, and characters of its standard error that are kept for the message. */
  readonly lineBytes: number;
  log(text: string): void;
  /** Receives the messages that are not replies. */
  heard?(message: JsonObject, from: ServiceProcess): void;
}

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

interface Pending {
  resolve(reply: JsonObject): void;
  reject(error: Error): void;
  readonly late: NodeJS.Timeout;
}

export class ServiceProcess {
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
  readonly #options: ServiceOptions;
  readonly #child: ChildProcess;
  /** The child and its pipes, which are missing if there are no free descriptors. */
  readonly #handles: readonly Handle[];
  readonly #pending = new Map<number, Pending>();
  #ready: (() => void) | undefined;
  #next = 0;
  #stderr = "";

  private constructor(command: readonly string[], options: ServiceOptions) {
    const [file = "", ...args] = command;
    this.#options = options;
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
    stdin?.on("error", () => {});
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, options.lineBytes);
    });
    const reader = new LineReader(options.lineBytes);
    stdout?.on("data", (piece: Buffer) => {
      const lines = reader.read(piece);
      if (lines) for (const line of lines) this.#hear(line);
      else this.end();
    });
    // It must not keep the platform running; only a pending order does.
    this.#handles = ([this.#child, stdin, stdout, stderr] as unknown as readonly (Handle | null)[]).flatMap(
      (handle) => handle ?? [],
    );
    for (const handle of this.#handles) handle.unref?.();
  }

  /** Starts a process, with few capabilities where that is possible. Rejects with its output if it does not become ready. */
  static async start(options: ServiceOptions): Promise<ServiceProcess> {
    const { few, plain } = serviceCommands(options);
    if (few) {
      try {
        return await ServiceProcess.#started(few, options);
      } catch (error) {
        options.log(`it does not start with few capabilities (${(error as Error).message}), and is started with all`);
      }
    }
    return ServiceProcess.#started(plain, options);
  }

  static async #started(command: readonly string[], options: ServiceOptions): Promise<ServiceProcess> {
    const one = new ServiceProcess(command, options);
    const ready = new Promise<undefined>((resolve) => {
      one.#ready = () => resolve(undefined);
    });
    const late = setTimeout(() => one.end(), options.readyMs);
    const how = await Promise.race([ready, one.ended]);
    clearTimeout(late);
    if (how !== undefined) throw new Error(`${options.name} did not start: ${how}`);
    return one;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends an order. Rejects if the process ends meanwhile; terminates it if it does not reply within `ms`. */
  ask(order: object, ms: number): Promise<JsonObject> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, late: setTimeout(() => this.end(), ms) });
      this.tell({ id, ...order });
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) this.#rejectAll("it has ended");
    });
  }

  /** Sends an order that gets no reply. */
  tell(order: object): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Ends the process: its sockets are closed when `ended` resolves. */
  end(): void {
    this.#child.kill("SIGKILL");
    for (const handle of this.#handles) handle.ref?.();
  }

  #hear(line: string): void {
    const said = parseLine(line);
    if (said === undefined) this.end();
    else if (said.ready === true) this.#ready?.();
    else if (typeof said.log === "string") this.#options.log(said.log);
    else if (typeof said.id === "number") {
      const pending = this.#pending.get(said.id);
      this.#pending.delete(said.id);
      clearTimeout(pending?.late);
      pending?.resolve(said);
    } else this.#options.heard?.(said, this);
  }

  #rejectAll(how: string): void {
    for (const { reject, late } of this.#pending.values()) {
      clearTimeout(late);
      reject(new Error(`${this.#options.name} ended (${how}); try again`));
    }
    this.#pending.clear();
  }
}

/** Parses one line of its output; undefined for anything that is not a message. */
function parseLine(line: string): JsonObject | undefined {
  try {
    const said = JSON.parse(line) as Json;
    return isJsonObject(said) ? said : undefined;
  } catch {
    return undefined;
  }
}

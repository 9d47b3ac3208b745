/**
 * The platform's side of a resolver process: orders and replies as lines of JSON. The process ends when its standard input closes. It is
 * started as the port holder is (`holder-process.ts`), which only replies; this one also reports queries.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ENV } from "../../netlink/kernel/outcome.js";
import { serviceCommands } from "../../netlink/kernel/service-command.js";
import type { Query } from "../backend.js";
import { RESOLVER } from "../limits.js";
import { LineReader } from "../server/lines.js";
import type { Order, Said } from "../server/messages.js";

const SCRIPT = fileURLToPath(new URL("../server/main.js", import.meta.url));

/** The result of an order. */
type Outcome = Extract<Said, { readonly id: number }>;

/** An order that gets a reply, without its id. */
type Asked = Order extends infer O ? (O extends { readonly id: number } ? Omit<O, "id"> : never) : never;

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

interface Pending {
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
  readonly late: NodeJS.Timeout;
}

export interface ProcessEvents {
  log(text: string): void;
  heard(query: Query): void;
}

export class ResolverProcess {
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  /** The child and its pipes, which are missing if there are no free descriptors. */
  readonly #handles: readonly Handle[];
  readonly #events: ProcessEvents;
  readonly #pending = new Map<number, Pending>();
  #ready: (() => void) | undefined;
  #next = 0;
  #stderr = "";

  private constructor(command: readonly string[], events: ProcessEvents) {
    const [file = "", ...args] = command;
    this.#events = events;
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
      this.#stderr = (this.#stderr + text).slice(0, RESOLVER.lineBytes);
    });
    const reader = new LineReader(RESOLVER.lineBytes);
    stdout?.on("data", (piece: Buffer) => {
      const lines = reader.read(piece);
      if (lines) for (const line of lines) this.#hear(line);
      else this.end();
    });
    // It must not keep the platform running.
    this.#handles = ([this.#child, stdin, stdout, stderr] as unknown as readonly (Handle | null)[]).flatMap(
      (handle) => handle ?? [],
    );
    for (const handle of this.#handles) handle.unref?.();
  }

  /** Starts a process in a namespace (a path; undefined: the platform's own). Rejects with its output if it does not become ready. */
  static async start(netns: string | undefined, events: ProcessEvents): Promise<ResolverProcess> {
    const { few, plain } = serviceCommands({ netns, script: SCRIPT, heapMb: RESOLVER.heapMb });
    if (few) {
      try {
        return await ResolverProcess.#started(few, events);
      } catch (error) {
        events.log(`it does not start with few capabilities (${(error as Error).message}), and is started with all`);
      }
    }
    return ResolverProcess.#started(plain, events);
  }

  static async #started(command: readonly string[], events: ProcessEvents): Promise<ResolverProcess> {
    const one = new ResolverProcess(command, events);
    const ready = new Promise<undefined>((resolve) => {
      one.#ready = () => resolve(undefined);
    });
    const late = setTimeout(() => one.end(), RESOLVER.readyMs);
    const how = await Promise.race([ready, one.ended]);
    clearTimeout(late);
    if (how !== undefined) throw new Error(`the resolver did not start: ${how}`);
    return one;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends an order. Rejects if the process ends meanwhile; terminates it if it does not reply within `ms`. */
  ask(asked: Asked, ms: number): Promise<Outcome> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, late: setTimeout(() => this.end(), ms) });
      this.tell({ id, ...asked } as Order);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) this.#rejectAll("it has ended");
    });
  }

  /** Sends an order that gets no reply. */
  tell(order: Order): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Ends the process: its sockets are closed when `ended` resolves. */
  end(): void {
    this.#child.kill("SIGKILL");
    for (const handle of this.#handles) handle.ref?.();
  }

  #hear(text: string): void {
    let said: Said;
    try {
      said = JSON.parse(text) as Said;
    } catch {
      this.end();
      return;
    }
    if ("ready" in said) this.#ready?.();
    else if ("log" in said) this.#events.log(said.log);
    else if ("query" in said) this.#events.heard(said.query);
    else {
      const pending = this.#pending.get(said.id);
      this.#pending.delete(said.id);
      clearTimeout(pending?.late);
      pending?.resolve(said);
    }
  }

  #rejectAll(how: string): void {
    for (const { reject, late } of this.#pending.values()) {
      clearTimeout(late);
      reject(new Error(`the resolver's process ended (${how}); try again`));
    }
    this.#pending.clear();
  }
}

/**
 * Processes of `ip -batch -` that are started before they are needed: listings go one after another to one that stays; each batch of
 * changes gets one of its own, since `ip` remembers the index of a name that it has used, and another program may give that name to
 * another link. None has more privileges than a process that is started for one batch.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { NETLINK } from "../limits.js";
import { ENV, type IpOutcome } from "./ip-outcome.js";

/** Every namespace has this link. */
const LOOPBACK = "lo";
const MARKER = `link show dev ${LOOPBACK}`;

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

/** A batch under way. */
interface Running {
  resolve(outcome: IpOutcome): void;
  /** Lines that it prints; undefined: all until the process ends. */
  readonly lists: number | undefined;
  readonly late: NodeJS.Timeout;
}

export class StandingIp {
  readonly #child: ChildProcessWithoutNullStreams;
  /** The child and its pipes, which are missing if there are no free descriptors. */
  readonly #handles: readonly Handle[];
  readonly #ended: Promise<void>;
  #running: Running | undefined;
  #stdout = "";
  #stderr = "";
  /** Newlines in `#stdout`. */
  #lists = 0;
  /** Why it was killed. */
  #why: string | undefined;
  #usable = true;
  /** Batches so far. */
  runs = 0;
  /** True if it was killed because a batch took too long. */
  late = false;

  /** `command`: program and arguments, `-batch -` included. */
  constructor(command: readonly string[]) {
    const [file = "", ...args] = command;
    this.#child = spawn(file, args, { cwd: "/", env: ENV, stdio: "pipe" });
    const { stdin, stdout, stderr } = this.#child;
    // A process that ends before it has read everything is judged by its exit code.
    stdin?.on("error", () => {});
    stdout?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#bound();
    });
    this.#ended = new Promise((resolve) => {
      const over = (code: number | null, how: string): void => {
        this.#usable = false;
        this.#settle(code, this.#why ?? how);
        resolve();
      };
      this.#child.once("error", (error) => over(null, error.message));
      this.#child.once("close", (code, signal) => over(code, `it was ended by ${signal}`));
    });
    // It must not keep the platform running; only a batch under way does.
    this.#handles = [this.#child, stdin, stdout, stderr] as unknown as readonly Handle[];
    for (const handle of this.#handles) handle?.unref?.();
  }

  /** The namespace that the process is in, as /proc names it (`net:[…]`); undefined if it has ended. */
  get namespace(): string | undefined {
    if (!this.#usable || this.#child.pid === undefined) return undefined;
    try {
      return readlinkSync(`/proc/${this.#child.pid}/ns/net`);
    } catch {
      return undefined;
    }
  }

  /**
   * Carries out listings: lines that print one list each. Not to be called again before it has resolved. A process that fails or
   * prints anything else is not used again. Never rejects.
   */
  list(lines: readonly string[]): Promise<IpOutcome> {
    const all = [...lines, MARKER];
    return this.#run(all.length, () => this.#child.stdin?.write(`${all.join("\n")}\n`)).then((outcome) => {
      const marker = outcome.stdout.trimEnd().split("\n").at(-1) ?? "";
      if (outcome.code !== 0 || !isMarker(marker)) {
        this.kill("it printed something else than was asked for");
        return outcome.code === 0 ? { ...outcome, stderr: this.#why ?? "", code: null } : outcome;
      }
      return { ...outcome, stdout: outcome.stdout.trimEnd().slice(0, -marker.length) };
    });
  }

  /** Carries out a batch; the process ends with it. Never rejects. */
  last(lines: readonly string[]): Promise<IpOutcome> {
    return this.#run(undefined, () => this.#child.stdin?.end(`${lines.join("\n")}\n`));
  }

  /** Lets an idle process end. Resolves when it has. */
  end(): Promise<void> {
    this.#usable = false;
    for (const handle of this.#handles) handle?.ref?.();
    this.#child.stdin?.end();
    return this.#ended;
  }

  kill(why: string): void {
    this.#usable = false;
    this.#why ??= why;
    this.#child.kill("SIGKILL");
  }

  #run(lists: number | undefined, write: () => void): Promise<IpOutcome> {
    this.runs++;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.late = true;
        this.kill(`it was ended after ${NETLINK.runMs} ms`);
      }, NETLINK.runMs);
      this.#running = { resolve, lists, late };
      for (const handle of this.#handles) handle?.ref?.();
      if (this.#usable) write();
      else this.#settle(null, "it has ended");
    });
  }

  #hear(text: string): void {
    this.#stdout += text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lists++;
    this.#bound();
    if (!this.#running) this.kill("it printed something that was not asked for");
    const lists = this.#running?.lists;
    if (lists !== undefined && this.#lists >= lists) this.#settle(0, "");
  }

  #bound(): void {
    if (this.#stdout.length + this.#stderr.length > NETLINK.outputBytes)
      this.kill(`it printed more than ${NETLINK.outputBytes} bytes`);
  }

  /** `how`: why it did not exit by itself. */
  #settle(code: number | null, how: string): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    clearTimeout(running.late);
    const [stdout, stderr] = [this.#stdout, code === null ? `ip: ${how}` : this.#stderr];
    // A listing that ends with its input closed has not printed all.
    const whole = code !== 0 || running.lists === undefined || this.#lists === running.lists;
    [this.#stdout, this.#stderr, this.#lists] = ["", "", 0];
    for (const handle of this.#handles) handle?.unref?.();
    running.resolve(
      whole ? { stdout, stderr, code } : { stdout: "", stderr: "ip: it printed too much or too little", code: null },
    );
  }
}

function isMarker(line: string): boolean {
  try {
    const list = JSON.parse(line) as readonly { readonly ifname?: unknown }[];
    return list.length === 1 && list[0]?.ifname === LOOPBACK;
  } catch {
    return false;
  }
}

/** The standing `ip` processes of one namespace: one for the listings with each set of options, and one for the next changes. */
import { readlinkSync, statSync } from "node:fs";
import { Mutex } from "../../../common/mutex.js";
import { NETLINK } from "../limits.js";
import type { IpOutcome } from "./ip-outcome.js";
import { StandingIp } from "./standing-ip.js";

/** Where listings with one set of options are carried out, one after another. */
interface Slot {
  readonly mutex: Mutex;
  process: StandingIp | undefined;
}

export class IpPool {
  readonly #command: readonly string[];
  /** The namespace's file; undefined: the platform's own namespace. */
  readonly #netns: string | undefined;
  readonly #slots = new Map<string, Slot>();
  /** Started for the next changes. */
  #spare: StandingIp | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** `command`: what runs `ip` in the namespace. */
  constructor(command: readonly string[], netns: string | undefined) {
    this.#command = command;
    this.#netns = netns;
  }

  /** Carries out listings. Undefined: no standing process could, and they need a process of their own. Never rejects. */
  async list(options: readonly string[], lines: readonly string[]): Promise<IpOutcome | undefined> {
    const key = options.join(" ");
    const slot = this.#slots.get(key) ?? { mutex: new Mutex(), process: undefined };
    this.#slots.set(key, slot);
    return slot.mutex.run(async () => {
      if (this.#closed) return undefined;
      this.#linger();
      if (slot.process && (slot.process.runs >= NETLINK.standingRuns || !this.#isHere(slot.process))) {
        void slot.process.end();
        slot.process = undefined;
      }
      slot.process ??= this.#start(options);
      const { process } = slot;
      const outcome = await process.list(lines);
      // Checked afterwards, since a new process enters the namespace after it has been started.
      if (outcome.code === 0 && this.#isHere(process)) return outcome;
      if (slot.process === process) slot.process = undefined;
      process.kill("it cannot be used again");
      return process.late ? outcome : undefined;
    });
  }

  /** Carries out changes. Undefined: no process was ready, and they need one of their own. Never rejects. */
  async change(options: readonly string[], lines: readonly string[]): Promise<IpOutcome | undefined> {
    if (this.#closed) return undefined;
    this.#linger();
    const spare = this.#spare;
    this.#spare = undefined;
    // After the reply: starting a process holds up the event loop.
    setImmediate(() => {
      if (!this.#closed) this.#spare ??= this.#start(options);
    });
    if (spare === undefined) return undefined;
    if (this.#isHere(spare)) return spare.last(lines);
    void spare.end();
    return undefined;
  }

  /** Ends all processes, and starts no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #start(options: readonly string[]): StandingIp {
    return new StandingIp([...this.#command, ...options, "-batch", "-"]);
  }

  /** Returns whether a process lives, and is in the namespace that has the name now. */
  #isHere(process: StandingIp): boolean {
    try {
      const here = this.#netns === undefined ? readlinkSync("/proc/self/ns/net") : `net:[${statSync(this.#netns).ino}]`;
      return process.namespace === here;
    } catch {
      return false;
    }
  }

  /** Ends the processes some time after they were used last. */
  #linger(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#end(), NETLINK.standingIdleMs).unref();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const spare = this.#spare;
    this.#spare = undefined;
    const lists = [...this.#slots.values()].map((slot) =>
      slot.mutex.run(async () => {
        const { process } = slot;
        slot.process = undefined;
        await process?.end();
      }),
    );
    await Promise.all([spare?.end(), ...lists]);
  }
}

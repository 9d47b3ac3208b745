/** Tells changes of rules that were made here from those of other programs. nftables reports each with its process. */
import { statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { NETLINK } from "../../netlink/limits.js";

/** The kernel's number of the initial PID namespace, whose PIDs nftables reports. */
const INITIAL_NAMESPACE = 0xef_ff_ff_fc;

/** How long after its program has ended a change may be reported, in milliseconds. */
const REPORT_MS = 1000;

interface Change {
  readonly program: string;
  /** The tables named as ours are that it removes and does not add again. */
  readonly removes: readonly string[];
  /** Resolves with false if nothing was changed. */
  readonly made: Promise<boolean>;
}

export class OwnChanges {
  /** False: PIDs here differ from those that are reported. */
  readonly #byPid: boolean;
  /** Changes that have not been reported, by PID here. */
  readonly #open = new Map<number, Change>();

  constructor(byPid: boolean) {
    this.#byPid = byPid;
  }

  /** Notes a change that a program makes. Call it when the program has started. */
  started(pid: number, change: Change): void {
    this.#open.set(pid, change);
    const forget = (): void => {
      if (this.#open.get(pid) === change) this.#open.delete(pid);
    };
    void change.made.then((made) => {
      if (made) setTimeout(forget, this.#byPid ? NETLINK.runMs : REPORT_MS).unref();
      else forget();
    });
  }

  /**
   * Returns whether a reported change was made here; each change of ours covers one report. In a PID namespace, where reported PIDs do
   * not match ours, a report is compared by the program's name and the tables removed.
   */
  async made(pid: number, program: string, removes: readonly string[]): Promise<boolean> {
    const alike = (change: Change): boolean => change.program === program && isDeepStrictEqual(change.removes, removes);
    const own = this.#byPid ? pid : [...this.#open].find(([, change]) => alike(change))?.[0];
    const change = own === undefined ? undefined : this.#open.get(own);
    if (own === undefined || change === undefined) return false;
    this.#open.delete(own);
    return change.made;
  }
}

const NAMESPACES = new Map<string, OwnChanges>();

/** Returns the changes made from this process in a network namespace (a path; undefined: the process's own). */
export function ownChangesIn(netns: string | undefined): OwnChanges {
  const key = netns ?? "";
  const known = NAMESPACES.get(key) ?? new OwnChanges(inInitialNamespace());
  NAMESPACES.set(key, known);
  return known;
}

function inInitialNamespace(): boolean {
  try {
    return statSync("/proc/self/ns/pid").ino === INITIAL_NAMESPACE;
  } catch {
    return true;
  }
}

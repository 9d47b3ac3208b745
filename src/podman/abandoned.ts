/**
 * Finds containers whose namespace exists but has no processes: Podman was killed while it started them, and has forgotten them.
 * Touches `fs`.
 */
import { readdirSync, statSync } from "node:fs";
import { type Attachment, attachmentId } from "../attachments/attachment.js";
import { PODMAN } from "./limits.js";

export class Abandoned {
  readonly #livedIn: () => ReadonlySet<string>;
  readonly #now: () => number;
  /** What seemed abandoned at the last look, and since when. */
  #suspects: ReadonlyMap<string, number> = new Map();
  /** True once a process of a container was seen: until then, all processes may be hidden from the daemon. */
  #sees = false;

  /** `livedIn`: returns the ids of all network namespaces with processes. `now`: a clock in milliseconds. */
  constructor(livedIn: () => ReadonlySet<string> = namespacesOfProcesses, now: () => number = () => performance.now()) {
    this.#livedIn = livedIn;
    this.#now = now;
  }

  /**
   * Returns the attachments that had no process at any look within the last `PODMAN.abandonedMs`: a container gets its process right
   * after its network.
   */
  look(rows: readonly Attachment[]): readonly Attachment[] {
    const live = rows.filter(({ phase }) => phase === "live");
    if (live.length === 0) {
      this.#suspects = new Map();
      return [];
    }
    const lived = this.#livedIn();
    this.#sees ||= live.some(({ namespace }) => lived.has(namespace));
    const empty = live.filter(({ namespace }) => !lived.has(namespace));
    const [before, now] = [this.#suspects, this.#now()];
    const since = (row: Attachment): number => before.get(nameOf(row)) ?? now;
    this.#suspects = new Map(empty.map((row) => [nameOf(row), since(row)]));
    return this.#sees ? empty.filter((row) => now - since(row) >= PODMAN.abandonedMs) : [];
  }
}

function nameOf(row: Attachment): string {
  return `${attachmentId(row)} ${row.namespace}`;
}

function namespacesOfProcesses(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const { dev, ino } = statSync(`/proc/${pid}/ns/net`);
      found.add(`${dev}:${ino}`);
    } catch {
      // It has ended.
    }
  }
  return found;
}

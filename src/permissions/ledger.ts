/** Records of what the host makes in the kernel, each written before it is made, so that a crash in between leaves nothing unknown. */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/** A row to keep, or the name of one to forget. */
export type RowChange<R> = { readonly put: R } | { readonly drop: string };

/** Keeps the rows of one namespace. Once `write` has resolved, the next `load` returns what it wrote. */
export interface Ledger<R> {
  /** Part of the name or alias of what the host makes. Letters, digits, `.` and `-`; a durable ledger never changes it. */
  readonly id: string;
  /** True when its rows outlive the process: then what they describe stays when the host closes. */
  readonly durable: boolean;
  load(): Promise<readonly R[]>;
  /** Writes all of the changes, in order, or none. */
  write(changes: readonly RowChange<R>[]): Promise<void>;
  /** Returns false if rows of that many bytes cannot be recorded, because the disk is full. Absent: there is always room. */
  hasRoom?(bytes: number): boolean;
}

/** Returns the bytes that rows need in a ledger: each is written before the change and after it. */
export function recordedBytes(rows: readonly object[]): number {
  return 2 * Buffer.byteLength(JSON.stringify(rows));
}

/** A ledger that ends with its process; by its id others can tell that the process is gone (`isGone`). */
export class MemoryLedger<R extends { readonly name: string }> implements Ledger<R> {
  readonly id: string =
    `m-${pidNamespace()}-${process.pid}-${startOf(process.pid) ?? 0}-${randomBytes(4).toString("hex")}`;
  readonly durable = false;
  readonly #rows = new Map<string, R>();

  async load(): Promise<readonly R[]> {
    return [...this.#rows.values()];
  }

  async write(changes: readonly RowChange<R>[]): Promise<void> {
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
  }
}

/** True for the id of a memory ledger whose process has ended and will not remove what it made any more. */
export function isGone(id: string): boolean {
  const [, space, pid, start] = /^m-(\d+)-(\d+)-(\d+)-[0-9a-f]{8}$/.exec(id) ?? [];
  if (space === undefined || Number(space) === 0 || Number(space) !== pidNamespace()) return false;
  return startOf(Number(pid)) !== Number(start);
}

/** Returns the PID namespace, outside of which a PID is meaningless; 0 if it cannot be read. */
function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** Returns when a process started, in the kernel's ticks (field 22 of `stat`; the second may contain spaces); undefined if it has ended. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

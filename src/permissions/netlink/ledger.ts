/**
 * Records the links that the host creates, each before its creation, so that a crash in between leaves no unknown link (README.md here,
 * "Recovery").
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import type { LinkSpec } from "./link-spec.js";
import type { RemoteSpec } from "./remote-spec.js";

/** The sandbox that a link has been moved into. */
export interface MovedTo {
  /** The namespace, by path or name. */
  readonly netns: string;
}

/** One link; the two ends of a veth have a row each. */
export interface LedgerRow {
  readonly plugin: string;
  readonly name: string;
  /** As requested; for a veth's second end, the first end's. */
  readonly spec: LinkSpec;
  /** Absent: intended, and perhaps created. */
  readonly ifindex?: number | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly moved?: MovedTo | undefined;
  /** A vxlan's remote hosts, each recorded before it is set and until it has been removed. */
  readonly remotes?: readonly RemoteSpec[] | undefined;
}

/** A row to keep, or the name of one to forget. */
export type LedgerChange = { readonly put: LedgerRow } | { readonly drop: string };

/** Keeps the rows of one namespace. Once `write` has resolved, the next `load` returns what it wrote. */
export interface NetlinkLedger {
  /** Part of every link's alias. Letters, digits, `.` and `-`; a durable ledger never changes it. */
  readonly id: string;
  /** True when its rows outlive the process: then links stay when the host closes. */
  readonly durable: boolean;
  load(): Promise<readonly LedgerRow[]>;
  /** Writes all of the changes, in order, or none. */
  write(changes: readonly LedgerChange[]): Promise<void>;
  /** Returns false if rows of that many bytes cannot be recorded, because the disk is full. Absent: there is always room. */
  hasRoom?(bytes: number): boolean;
}

/** Returns the bytes that rows need in a ledger: each is written before the change and after it. */
export function recordedBytes(rows: readonly object[]): number {
  return 2 * Buffer.byteLength(JSON.stringify(rows));
}

/** A ledger that ends with its process; by its id others can tell that the process is gone (`isGone`). */
export class MemoryLedger implements NetlinkLedger {
  readonly id: string =
    `m-${pidNamespace()}-${process.pid}-${startOf(process.pid) ?? 0}-${randomBytes(4).toString("hex")}`;
  readonly durable = false;
  readonly #rows = new Map<string, LedgerRow>();

  async load(): Promise<readonly LedgerRow[]> {
    return [...this.#rows.values()];
  }

  async write(changes: readonly LedgerChange[]): Promise<void> {
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
  }
}

/** True for the id of a memory ledger whose process has ended and will not remove its links any more. */
export function isGone(id: string): boolean {
  const [, space, pid, start] = /^m-(\d+)-(\d+)-(\d+)-[0-9a-f]{8}$/.exec(id) ?? [];
  if (space === undefined || Number(space) === 0 || Number(space) !== pidNamespace()) return false;
  return startOf(Number(pid)) !== Number(start);
}

/** Returns the mark for a link's alias, which stays with the link in a sandbox, even if it is renamed there. */
export function markOf(ledger: string, plugin: string, name: string): string {
  return `bulkhead:${ledger}:${plugin}:${name}`;
}

/** Reads a mark; undefined for any other alias. */
export function readMark(alias: string | undefined): { ledger: string; plugin: string; name: string } | undefined {
  const [, ledger, plugin, name] = /^bulkhead:([\w.-]+):([a-z0-9-]+):([a-z0-9-]+)$/.exec(alias ?? "") ?? [];
  return ledger === undefined || plugin === undefined || name === undefined ? undefined : { ledger, plugin, name };
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

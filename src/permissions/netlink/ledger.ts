/**
 * What the host knows of the links it has made: written before a link is made, so that a crash between the two leaves nothing
 * unknown. Name and kind first, then the link, then its mark, then its number (README.md here, "Recovery").
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import type { LinkSpec } from "./link-spec.js";

/** Where a link is that has been moved into a sandbox. */
export interface MovedTo {
  /** The namespace, by path or name. */
  readonly netns: string;
}

/** One link; the two ends of a veth have a row each. */
export interface LedgerRow {
  readonly plugin: string;
  readonly name: string;
  /** As it was asked for; of a veth's second end, the first's. */
  readonly spec: LinkSpec;
  /** Absent: intended, and perhaps made. */
  readonly ifindex?: number | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly moved?: MovedTo | undefined;
}

/** A row to keep, or the name of one to forget. */
export type LedgerChange = { readonly put: LedgerRow } | { readonly drop: string };

/** Keeps the rows of one namespace. What a promise of `write` has confirmed is there for the next `load`. */
export interface NetlinkLedger {
  /** Written into every link's alias: whose link it is. Letters, digits, `.` and `-`; a durable ledger keeps its own for ever. */
  readonly id: string;
  /** True when its rows outlive the process: then links stay when the host closes. */
  readonly durable: boolean;
  load(): Promise<readonly LedgerRow[]>;
  /** All of the changes, in order, or none. */
  write(changes: readonly LedgerChange[]): Promise<void>;
}

/** A ledger that ends with its process. Its id tells others when that has happened (`isGone`). */
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

/** True for the id of a memory ledger whose process has ended: nobody will remove its links any more. */
export function isGone(id: string): boolean {
  const [, space, pid, start] = /^m-(\d+)-(\d+)-(\d+)-[0-9a-f]{8}$/.exec(id) ?? [];
  if (space === undefined || Number(space) === 0 || Number(space) !== pidNamespace()) return false;
  return startOf(Number(pid)) !== Number(start);
}

/** The mark in a link's alias. It goes with the link into a sandbox, whatever name it is given there. */
export function markOf(ledger: string, plugin: string, name: string): string {
  return `bulkhead:${ledger}:${plugin}:${name}`;
}

/** Whose mark an alias is; undefined for any other alias. */
export function readMark(alias: string | undefined): { ledger: string; plugin: string; name: string } | undefined {
  const [, ledger, plugin, name] = /^bulkhead:([\w.-]+):([a-z0-9-]+):([a-z0-9-]+)$/.exec(alias ?? "") ?? [];
  return ledger === undefined || plugin === undefined || name === undefined ? undefined : { ledger, plugin, name };
}

/** Numbers of processes mean something within one PID namespace only; 0 where there is none to be seen. */
function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** When a process started, in the kernel's ticks; undefined when it has ended. Field 22 of `stat`, whose second may hold spaces. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

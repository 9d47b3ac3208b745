/** Records shapes before they are applied, so that a crash in between leaves no unrecorded shape. */
import { createHash } from "node:crypto";
import { MemoryLedger } from "../netlink/ledger.js";
import { isShaped, type TrafficShape } from "./shape.js";

/** One shaped link. */
export interface TrafficRow {
  /** The link's. */
  readonly name: string;
  readonly plugin: string;
  /** A link that is made again with this name has another index, and is not shaped. */
  readonly ifindex: number;
  /** As its plugin asked. */
  readonly asked?: TrafficShape | undefined;
  /** As an operator changed it: in force instead of `asked`. */
  readonly changed?: TrafficShape | undefined;
}

/** Returns the shape in force. */
export function inForce({ asked, changed }: Pick<TrafficRow, "asked" | "changed">): TrafficShape {
  return changed ?? asked ?? {};
}

/** True for a row to keep: one with a shape, or with an operator's change that removes the shape. */
export function isKept({ asked, changed }: TrafficRow): boolean {
  return changed !== undefined || isShaped(asked);
}

/** A row to keep, or the name of one to forget. */
export type TrafficChange = { readonly put: TrafficRow } | { readonly drop: string };

/** Keeps the rows of one namespace. Once `write` has resolved, the next `load` returns what it wrote. */
export interface TrafficLedger {
  /** Part of the alias of every link made for a rate. Letters, digits, `.` and `-`; a durable ledger never changes it. */
  readonly id: string;
  /** True when its rows outlive the process: then shapes stay when the host closes. */
  readonly durable: boolean;
  load(): Promise<readonly TrafficRow[]>;
  /** Writes all of the changes, in order, or none. */
  write(changes: readonly TrafficChange[]): Promise<void>;
  /** Returns false if rows of that many bytes cannot be recorded, because the disk is full. Absent: there is always room. */
  hasRoom?(bytes: number): boolean;
}

/** A ledger that ends with its process; by its id others can tell that the process is gone. */
export class MemoryTrafficLedger implements TrafficLedger {
  readonly id: string = new MemoryLedger().id;
  readonly durable = false;
  readonly #rows = new Map<string, TrafficRow>();

  async load(): Promise<readonly TrafficRow[]> {
    return [...this.#rows.values()];
  }

  async write(changes: readonly TrafficChange[]): Promise<void> {
    for (const change of changes) {
      if ("put" in change) this.#rows.set(change.put.name, change.put);
      else this.#rows.delete(change.drop);
    }
  }
}

/** Returns the name of the link (an `ifb`) that limits what comes in by `link`. */
export function ifbOf(ledger: string, link: string): string {
  return `ifb-${createHash("sha256").update(`${ledger}\0${link}`).digest("hex").slice(0, 11)}`;
}

/** Returns the mark for that link's alias. Netlink's own marks begin otherwise. */
export function ifbMark(ledger: string, link: string): string {
  return `bulkhead-traffic:${ledger}:${link}`;
}

/** Reads a mark; undefined for any other alias. */
export function readIfbMark(alias: string | undefined): { readonly ledger: string; readonly link: string } | undefined {
  const [, ledger, link] = /^bulkhead-traffic:([\w.-]+):([a-z0-9-]+)$/.exec(alias ?? "") ?? [];
  return ledger === undefined || link === undefined ? undefined : { ledger, link };
}

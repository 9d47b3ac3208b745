/** Records shapes before they are applied, so that a crash in between leaves no unrecorded shape. */
import { createHash } from "node:crypto";
import type { Ledger, RowChange } from "../ledger.js";
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

export type TrafficChange = RowChange<TrafficRow>;

/** Its id is part of the alias of every link made for a rate. */
export type TrafficLedger = Ledger<TrafficRow>;

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

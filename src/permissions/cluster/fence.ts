/** The keys by which an operator states that a host is gone: plugins read and watch them, and the platform alone writes them. */
import type { StoreEntry } from "./backend.js";

/** The beginning of these keys. */
export const FENCED = "fenced/";

/** An operator's statement. It is a row of the store, and parsed as such. */
export interface Fence {
  /** When it was made, as ISO 8601; null: the row does not say. */
  readonly since: string | null;
  readonly reason: string | null;
}

/** Longest reason, in UTF-16 units. */
export const REASON_CHARS = 256;

/** Returns the JSON text of a fence's key. */
export function fenceText(since: string, reason: string | undefined): string {
  return JSON.stringify({ since, reason: reason ?? null });
}

/** Reads a fence's key. A damaged one is a fence too: it says that a host is gone, if not when. */
export function readFence({ text }: Pick<StoreEntry, "text">): Fence {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Handled as any value that is not an object.
  }
  const { since, reason } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const isTime = typeof since === "string" && since.length <= 32 && !Number.isNaN(Date.parse(since));
  return {
    since: isTime ? new Date(since).toISOString() : null,
    reason: typeof reason === "string" && reason.length <= REASON_CHARS ? reason : null,
  };
}

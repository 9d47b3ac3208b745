/** The keys that record an operator's statement that a host is gone: plugins read and watch them, and only the platform writes them. */
import type { StoreEntry } from "./backend.js";

/** The prefix of these keys. */
export const FENCED = "fenced/";

/** An operator's statement, parsed from a row of the store, which may be damaged. */
export interface Fence {
  /** When it was made, in ISO 8601; null if the row does not say. */
  readonly since: string | null;
  readonly reason: string | null;
}

/** Length limit of a reason, in UTF-16 code units. */
export const REASON_CHARS = 256;

/** Returns the JSON text of a fence's value. */
export function fenceText(since: string, reason: string | undefined): string {
  return JSON.stringify({ since, reason: reason ?? null });
}

/** Reads a fence's value. A damaged one is still a fence: it says that the host is gone, but not since when. */
export function readFence({ text }: Pick<StoreEntry, "text">): Fence {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Treated like any value that is not an object.
  }
  const { since, reason } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const isTime = typeof since === "string" && since.length <= 32 && !Number.isNaN(Date.parse(since));
  return {
    since: isTime ? new Date(since).toISOString() : null,
    reason: typeof reason === "string" && reason.length <= REASON_CHARS ? reason : null,
  };
}

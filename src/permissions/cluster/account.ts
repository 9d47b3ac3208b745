/** A plugin's account: how many keys and bytes it has in the store, over all hosts. It is a row of the store, and parsed as such. */
import type { StoreEntry } from "./backend.js";

/** An account, and the revision of its row; 0 if it has no row yet. */
export interface Account {
  readonly keys: number;
  readonly bytes: number;
  readonly revision: number;
}

/** Longest text of a row, in UTF-16 units. */
const ROW_CHARS = 128;

/** Reads an account; undefined if it is damaged. */
export function readAccount({ text, revision }: StoreEntry): Account | undefined {
  if (text.length > ROW_CHARS) return undefined;
  try {
    const { keys, bytes } = JSON.parse(text) as { readonly keys?: unknown; readonly bytes?: unknown };
    return isCount(keys) && isCount(bytes) ? { keys, bytes, revision } : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the bytes that an entry counts for. A key is ASCII. */
export function sizeOf(key: string, text: string): number {
  return key.length + Buffer.byteLength(text);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** The events of a watch, as they wait for a worker. */
import type { StoreEntry } from "./backend.js";

/** What a watch tells, with keys of the plugin's own and values as JSON text. */
export type WatchEvent =
  | { readonly type: "put"; readonly key: string; readonly text: string; readonly revision: number }
  | { readonly type: "delete"; readonly key: string; readonly revision: number }
  | { readonly type: "resync"; readonly entries: readonly StoreEntry[]; readonly revision: number }
  | { readonly type: "progress"; readonly revision: number }
  | { readonly type: "stale"; readonly ms: number };

/** Characters of the keys and values of an event. */
export function charsOf(event: WatchEvent): number {
  if (event.type === "resync") return event.entries.reduce((sum, { key, text }) => sum + key.length + text.length, 0);
  return "key" in event ? event.key.length + ("text" in event ? event.text.length : 0) : 0;
}

/** What etcd's refusals say about a write: some are given before it is proposed or where it is applied, and others leave it open. */
import { escapeLine } from "../../../common/escape.js";
import { isJsonObject, type Json } from "../../../driverapi/json.js";
import { StoreError } from "../backend.js";

/** gRPC's codes after which nothing was changed: wrong argument, not found, no permission, no room, out of range, no account. */
const NOT_DONE: ReadonlySet<number> = new Set([3, 5, 7, 8, 11, 16]);

/** Longest piece of etcd's words that is shown. */
const WORDS = 200;

/** Returns the error of a reply that is not 200. `write`: the request may have changed something. */
export function storeErrorOf(status: number, text: string, write: boolean): StoreError {
  let reply: Json = null;
  try {
    reply = JSON.parse(text) as Json;
  } catch {
    // Not etcd's, such as a proxy's page.
  }
  // 3.5 has `message` alone, 3.4 both.
  const { error, message = error, code } = isJsonObject(reply) ? reply : {};
  const words = typeof message === "string" ? escapeLine(message, WORDS) : `HTTP status ${status}`;
  const isDone = typeof code !== "number" || !NOT_DONE.has(code);
  const gone = goneOf(words);
  return new StoreError(`the store answered: ${words}`, {
    unknown: write && isDone,
    ...(gone === undefined ? {} : { gone }),
  });
}

function goneOf(words: string): "revision" | "lease" | undefined {
  if (/required revision (has been compacted|is a future revision)/.test(words)) return "revision";
  return words.includes("requested lease not found") ? "lease" : undefined;
}

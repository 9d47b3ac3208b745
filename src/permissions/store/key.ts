/** Checks a store's key, in the worker to save a round trip, and on the host's side, where it counts. */
import { LIMITS } from "../../protocol/limits.js";

/** Returns what is wrong with a key, as the end of a sentence; undefined if nothing is. */
export function keyProblem(key: unknown): string | undefined {
  if (typeof key !== "string") return "must be a string";
  if (key === "") return "must not be empty";
  // The length first: counting the bytes of a huge string is expensive.
  if (key.length > LIMITS.storeKeyBytes || Buffer.byteLength(key) > LIMITS.storeKeyBytes) {
    return `must have at most ${LIMITS.storeKeyBytes} bytes in UTF-8`;
  }
  // Lone surrogates have no UTF-8: two different keys would become one.
  return /\p{Surrogate}/u.test(key) ? "must be well-formed Unicode" : undefined;
}

/** What a store's key may be; asked in the worker, to spare a round trip, and on the host's side, where it binds. */
import { LIMITS } from "../../protocol/limits.js";

/** What is wrong with a key, as the end of a sentence; undefined when nothing is. */
export function keyProblem(key: unknown): string | undefined {
  if (typeof key !== "string") return "must be a string";
  if (key === "") return "must not be empty";
  // The length first: it costs nothing, and counting the bytes of a huge string does.
  if (key.length > LIMITS.storeKeyBytes || Buffer.byteLength(key) > LIMITS.storeKeyBytes) {
    return `must have at most ${LIMITS.storeKeyBytes} bytes in UTF-8`;
  }
  // A lone surrogate has no UTF-8: two different keys would become one.
  return /\p{Surrogate}/u.test(key) ? "must be well-formed Unicode" : undefined;
}

/** Refuses an option that does not exist, since it would have no effect. */
import { nearest } from "../common/nearest.js";
import { quote } from "../common/quote.js";
import { DriverError } from "./errors.js";

/**
 * Checks the names of a platform's options. Throws `ERR_OPTIONS`, naming the first unknown option and the nearest known one.
 *
 * @param called Begins the message: the function that was called, or "".
 * @param needed The options that the message names where no object is given.
 */
export function knownOptions(
  called: string,
  given: unknown,
  known: readonly string[],
  needed: readonly string[] = known,
): asserts given is object {
  const at = called === "" ? "" : `${called}: `;
  if (typeof given !== "object" || given === null) {
    throw new DriverError("ERR_OPTIONS", `${at}expected an object with ${needed.join(", ")}; got ${quote(given)}`);
  }
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  throw new DriverError(
    "ERR_OPTIONS",
    `${at}unknown option ${quote(unknown)}${near === undefined ? "" : `; did you mean "${near}"?`}`,
  );
}

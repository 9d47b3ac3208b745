/** A driver has all of the optional methods or none of them: both sides of a registration keep to it. */
import { OPTIONAL_DRIVER_METHODS } from "./constants.js";

/** The rule, for an error's text. */
export const OPTIONAL_METHODS_RULE: string = `a driver has ${OPTIONAL_DRIVER_METHODS.map((one) => `${one}()`).join(" and ")} together, or none of them`;

/** Whether a list of method names is all of the optional ones (true) or empty (false); undefined: it is neither. */
export function hasOptionalMethods(names: unknown): boolean | undefined {
  if (!Array.isArray(names)) return undefined;
  if (names.length === 0) return false;
  const all = names.length === OPTIONAL_DRIVER_METHODS.length;
  return all && OPTIONAL_DRIVER_METHODS.every((method) => names.includes(method)) ? true : undefined;
}

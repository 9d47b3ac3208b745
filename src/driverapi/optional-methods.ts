/** Checks that a driver has all of the optional methods or none, on both sides of a registration. */
import { OPTIONAL_DRIVER_METHODS } from "./constants.js";

/** The rule, for an error's text. */
export const OPTIONAL_METHODS_RULE: string = `a driver has ${OPTIONAL_DRIVER_METHODS.map((one) => `${one}()`).join(" and ")} together, or none of them`;

/** Returns true for all of the optional method names, false for an empty list, undefined for anything else. */
export function hasOptionalMethods(names: unknown): boolean | undefined {
  if (!Array.isArray(names)) return undefined;
  if (names.length === 0) return false;
  const all = names.length === OPTIONAL_DRIVER_METHODS.length;
  return all && OPTIONAL_DRIVER_METHODS.every((method) => names.includes(method)) ? true : undefined;
}

/** Adds a value to a set that a plugin could grow at will. */
import { LEARNING } from "./limits.js";

export function noted<T>(values: Set<T>, value: T | undefined): void {
  if (value !== undefined && values.size < LEARNING.values) values.add(value);
}

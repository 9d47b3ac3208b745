/** Adds a value to a set, up to `LEARNING.values`: a plugin could otherwise grow it at will. */
import { LEARNING } from "./limits.js";

export function noted<T>(values: Set<T>, value: T | undefined): void {
  if (value !== undefined && values.size < LEARNING.values) values.add(value);
}

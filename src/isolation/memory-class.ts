/** Memory classes of workers: a worker gets the smallest class that holds what its plugin may use. */
import { MEMORY_CLASSES } from "./limits.js";

/** Returns the class for `memoryMb`, in mebibytes. */
export function memoryClass(memoryMb: number): number {
  return MEMORY_CLASSES.find((one) => one >= memoryMb) ?? MEMORY_CLASSES[4];
}

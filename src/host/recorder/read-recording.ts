/** Reads what a host has recorded, also while it runs and after it was killed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Entry, readEntry } from "./entry.js";
import { RECORDING } from "./flight-recorder.js";

/** Returns the entries of a data folder, oldest first; none if nothing was recorded. Rejects if the files cannot be read. */
export async function readRecording(dataDir: string): Promise<readonly Entry[]> {
  const path = join(dataDir, RECORDING);
  const texts = await Promise.all([`${path}.1`, path].map(textOf));
  return parseRecording(texts.join("\n"));
}

/** Returns the entries of an exported recording, in the order in which they began. */
export function parseRecording(text: string): readonly Entry[] {
  const entries = text.split("\n").flatMap((line) => (line === "" ? [] : (readEntry(line) ?? [])));
  return entries.sort((a, b) => a.time - b.time);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

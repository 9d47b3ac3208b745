/** Puts the programs that the doctor runs behind the wall into the runtime folder. */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RuntimeFolder } from "../isolation/walls/runtime-folder.js";
import type { Trial } from "../isolation/walls/wall.js";
import { systemCallProgram } from "./system-calls.js";

const FOLDER = "dist/doctor";
const BUNDLES = ["process.mjs", "worker.cjs", "grow.mjs", "linger.mjs"] as const;

export const WALLS_TRIAL: Trial = { file: `${FOLDER}/process.mjs`, as: "bare" };
export const FLAGS_TRIAL: Trial = { file: `${FOLDER}/process.mjs`, as: "node" };
export const GROW_TRIAL: Trial = { file: `${FOLDER}/grow.mjs`, as: "bare" };
export const LINGER_TRIAL: Trial = { file: `${FOLDER}/linger.mjs`, as: "bare" };
export const CALLS_TRIAL: Trial = { file: `${FOLDER}/system-calls`, as: "program" };

/** Copies the programs. Returns true if the program of system calls exists for this machine. */
export function placeTrialFiles(folder: RuntimeFolder): boolean {
  const place = join(folder.path, FOLDER);
  mkdirSync(place, { recursive: true });
  chmodSync(place, 0o755);
  for (const name of BUNDLES) {
    copyFileSync(fileURLToPath(new URL(name, import.meta.url)), join(place, name));
    chmodSync(join(place, name), 0o644);
  }
  const program = systemCallProgram();
  if (program === undefined) return false;
  writeFileSync(join(place, "system-calls"), program);
  chmodSync(join(place, "system-calls"), 0o755);
  return true;
}

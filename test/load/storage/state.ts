/** Data folders of 100,000 endpoints, one per build: written at the first use, removed when this process ends. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DISK } from "../hosts.js";

const CHILD = fileURLToPath(new URL("./state-child.js", import.meta.url));

/** What a process found, resident memory in mebibytes. */
interface Found {
  readonly ms: number;
  readonly mb: number;
}

const folders = new Map<string, string>();

/** Reads the folder as a start does, or starts a host on it. */
export async function onFilled(build: string, endpoints: number, task: "replay" | "host"): Promise<Found> {
  let folder = folders.get(build);
  if (folder === undefined) {
    const made = mkdtempSync(join(DISK, "bulkhead-load-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    await run(build, made, endpoints, "fill");
    folder = made;
    folders.set(build, folder);
  }
  return run(build, folder, endpoints, task);
}

async function run(build: string, folder: string, endpoints: number, task: "fill" | "replay" | "host"): Promise<Found> {
  const child = fork(CHILD, [build, folder, String(endpoints), task], { execArgv: ["--expose-gc"] });
  const ended = once(child, "exit");
  const told = once(child, "message") as Promise<[Found]>;
  const early = ended.then(([code]) => Promise.reject(new Error(`the ${task} of ${build} ended with ${code}`)));
  const [found] = await Promise.race([told, early]);
  await ended;
  return found;
}

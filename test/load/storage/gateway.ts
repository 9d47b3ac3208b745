/** What a journalled call through Docker's gateway costs the platform, in microseconds of processor. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DISK } from "../hosts.js";
import { engineLoad } from "./engine-client.js";

const CHILD = fileURLToPath(new URL("./gateway-child.js", import.meta.url));
const CONNECTIONS = 64;

/** `build`: the folder of the build that is measured; `calls`: how many, after a warm-up of half as many. */
export async function processorPerCall(
  build: string,
  calls: number,
  journal: "disk" | "memory" = "disk",
): Promise<number> {
  const root = await mkdtemp(join(DISK, "bulkhead-load-"));
  const child = fork(CHILD, [build, root, journal], { execArgv: [] });
  const ended = once(child, "exit");
  const told = async (): Promise<{ readonly socket?: string; readonly us?: number }> => {
    const message = once(child, "message") as Promise<[{ readonly socket?: string; readonly us?: number }]>;
    const early = ended.then(([code]) => Promise.reject(new Error(`the platform ended with ${code}`)));
    return (await Promise.race([message, early]))[0];
  };
  const used = async (): Promise<number> => {
    const answer = told();
    child.send({});
    return (await answer).us ?? Number.NaN;
  };
  try {
    const { socket = "" } = await told();
    await engineLoad(socket, CONNECTIONS, calls / 2, 1);
    const before = await used();
    await engineLoad(socket, CONNECTIONS, calls, calls);
    return ((await used()) - before) / calls;
  } finally {
    if (child.connected) child.disconnect();
    await ended;
    await rm(root, { recursive: true, force: true });
  }
}

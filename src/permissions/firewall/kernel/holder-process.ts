/** A port holder's process: how it is started, its orders and its replies. */
import { fileURLToPath } from "node:url";
import { ServiceProcess } from "../../netlink/kernel/service-process.js";
import { HOLDER } from "../holder/limits.js";
import type { HeldPort } from "../holder/messages.js";

const SCRIPT = fileURLToPath(new URL("../holder/main.js", import.meta.url));

/** The result of an order. `code`: the system's, if `host` could not be bound. */
export interface Outcome {
  readonly code?: string;
  readonly host?: string;
}

/** Starts a port holder in a namespace (a path; undefined: the platform's own). Rejects with its output if it does not become ready. */
export function startHolder(netns: string | undefined, log: (text: string) => void): Promise<ServiceProcess> {
  return ServiceProcess.start({
    name: "the port holder",
    netns,
    script: SCRIPT,
    heapMb: HOLDER.heapMb,
    reads: ["/proc/self/limits"],
    readyMs: HOLDER.readyMs,
    lineBytes: HOLDER.lineBytes,
    log,
  });
}

/** Binds a port. Rejects if the process ends meanwhile. */
export async function holdPort(holder: ServiceProcess, port: HeldPort): Promise<Outcome> {
  const { code, host } = await holder.ask({ hold: port }, HOLDER.answerMs);
  return typeof code === "string" && typeof host === "string" ? { code, host } : {};
}

/** Releases a port. Rejects if the process ends meanwhile, and with it all its ports. */
export async function releasePort(holder: ServiceProcess, port: HeldPort): Promise<void> {
  await holder.ask({ release: port }, HOLDER.answerMs);
}

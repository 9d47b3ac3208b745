/** Runs in place of a host process, behind the same wall: reads a request on descriptor 3, runs probes, reports, ends. */
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { ThreadLauncher } from "../../isolation/thread-launcher.js";
import { DOCTOR } from "../limits.js";
import { observe, type Probe, type ProbeRequest, type Progress, reason, type Targets } from "../probe.js";
import * as account from "./account.js";
import * as files from "./files.js";
import { permissionFlags } from "./flags.js";
import * as network from "./network.js";
import * as processes from "./processes.js";
import type { WorkerReport } from "./worker.js";

const own = fileURLToPath(import.meta.url);
/** The runtime folder; this file is in its dist/doctor. */
const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

type Group = (targets: Targets) => readonly Probe[] | Promise<readonly Probe[]>;

/** Probes of the system's walls, harmless ones first: one that succeeds may end the process. */
const WALLS: Readonly<Record<string, Group>> = {
  "files.host": files.hostFiles,
  "files.runtime": () => files.runtimeFolder(root, own),
  "files.temporary": files.temporaryFiles,
  "files.mounts": files.mounts,
  "environment.empty": files.environment,
  "descriptors.none": files.descriptors,
  "account.user": account.account,
  "account.capabilities": account.capabilities,
  "account.no-new-privileges": account.noNewPrivileges,
  "namespaces.own": account.namespaces,
  "calls.filter": account.filter,
  "network.interfaces": network.interfaces,
  "network.reach": network.reach,
  "sockets.inet": network.inet,
  "sockets.inet6": network.inet6,
  "sockets.unix": network.unix,
  "sockets.netlink": network.netlink,
  "processes.visible": processes.visible,
  "processes.signal": processes.signals,
  "processes.start": processes.start,
  "processes.fork-bomb": processes.bomb,
  "terminal.none": processes.terminal,
  "processes.debugger": processes.debuggers,
  "limits.files": files.fileLimits,
  "memory.data": account.memory,
};

const stream = new Socket({ fd: 3, readable: true, writable: true });
let text = "";
stream.setEncoding("utf8").on("data", (part: string) => {
  text += part;
  const end = text.indexOf("\n");
  if (end < 0) return;
  stream.removeAllListeners("data");
  void runProbes(JSON.parse(text.slice(0, end)) as ProbeRequest).then(() => stream.end(() => process.exit(0)));
});
// The doctor is gone.
for (const event of ["error", "end", "close"]) stream.on(event, () => process.exit(0));

function tell(progress: Progress): void {
  stream.write(`${JSON.stringify(progress)}\n`);
}

async function runProbes({ what, targets, without }: ProbeRequest): Promise<void> {
  if (what === "walls") {
    for (const [check, group] of Object.entries(WALLS)) await one(check, () => group(targets));
    return;
  }
  await one("flags.host-process", () => permissionFlags(own, true));
  tell({ begun: "worker.flags" });
  const report = await inWorker(without).catch((error: unknown) => ({ "worker.flags": [broken(error)] }));
  for (const [check, tried] of Object.entries(report)) tell({ check, tried });
}

async function one(check: string, act: () => ReturnType<Group>): Promise<void> {
  tell({ begun: check });
  try {
    tell({ check, tried: await act() });
  } catch (error) {
    tell({ check, tried: [broken(error)] });
  }
}

/** Counts a check that could not be run as failed. */
function broken(error: unknown): Probe {
  return observe("try it", true, reason(error));
}

/** Runs the probes of a worker, which is started as a plugin's is. */
async function inWorker(without: ProbeRequest["without"]): Promise<WorkerReport> {
  const threads = new ThreadLauncher({
    bootstrap: fileURLToPath(new URL("./worker.cjs", import.meta.url)),
    spares: 0,
    ...(without.includes("worker-flags") ? { execArgv: [] } : {}),
    ...(without.includes("worker-environment") ? { env: { PATH: "/bin" }, argv: ["doctor"] } : {}),
  });
  try {
    const link = await threads.launch({ plugin: "doctor", memoryMb: DOCTOR.workerMb });
    return await new Promise<WorkerReport>((resolve, reject) => {
      link.onFrame = (data) => resolve(JSON.parse(String(data).slice(8)) as WorkerReport);
      link.onEnd = ({ detail }) => reject(new Error(detail));
      link.send(JSON.stringify({ without }));
    });
  } finally {
    await threads.close();
  }
}

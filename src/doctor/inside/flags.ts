/** Probes of Node's permission flags, run in a host process's main thread and in a worker. */
import { spawnSync } from "node:child_process";
import { constants, openSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as inspector from "node:inspector";
import { Worker } from "node:worker_threads";
import { type Probe, probe, probeAsync } from "../probe.js";

/** Errors of the permission model; a call that fails with another one was let through to the system. */
const DENIED: readonly string[] = ["ERR_ACCESS_DENIED", "ERR_DLOPEN_DISABLED"];

/** Runs the probes. `workers`: starting workers is allowed here, as in a host process's main thread. */
export async function permissionFlags(own: string, workers: boolean): Promise<readonly Probe[]> {
  const tried = [
    probe("read /etc/passwd", () => readFileSync("/etc/passwd")),
    await probeAsync("read /proc/self/environ", () => readFile("/proc/self/environ")),
    probe("list /", () => readdirSync("/")),
    probe("open its own code for writing", () => openSync(own, constants.O_RDWR)),
    probe("start a process", () => {
      const { error } = spawnSync(process.execPath, ["--version"], { stdio: "ignore", timeout: 5_000 });
      if (error) throw error;
    }),
    probe("load a native addon", () => process.dlopen({ exports: {} }, "/bulkhead-doctor.node")),
    probe("open a debugger", () => {
      inspector.open(0, "127.0.0.1");
      inspector.close();
    }),
    ...(workers
      ? []
      : [
          probe(
            "start a worker",
            () => void new Worker("", { eval: true, resourceLimits: { codeRangeSizeMb: 32 } }).terminate(),
          ),
        ]),
  ];
  return tried.map((one) => ({ ...one, through: one.through || !DENIED.includes(one.said) }));
}

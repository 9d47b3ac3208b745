/** What Node's permission flags are to stop, tried in a host process's main thread and in a worker. */
import { spawnSync } from "node:child_process";
import { constants, openSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as inspector from "node:inspector";
import { Worker } from "node:worker_threads";
import { type Attempt, attempt, attemptLater } from "../attempt.js";

/** What the permission model says; a call that fails for another reason was let through to the system. */
const DENIED: readonly string[] = ["ERR_ACCESS_DENIED", "ERR_DLOPEN_DISABLED"];

/** `workers`: further workers may be started; a host process's main thread must be able to. */
export async function permissionFlags(own: string, workers: boolean): Promise<readonly Attempt[]> {
  const tried = [
    attempt("read /etc/passwd", () => readFileSync("/etc/passwd")),
    await attemptLater("read /proc/self/environ", () => readFile("/proc/self/environ")),
    attempt("list /", () => readdirSync("/")),
    attempt("open its own code for writing", () => openSync(own, constants.O_RDWR)),
    attempt("start a process", () => {
      const { error } = spawnSync(process.execPath, ["--version"], { stdio: "ignore", timeout: 5_000 });
      if (error) throw error;
    }),
    attempt("load a native addon", () => process.dlopen({ exports: {} }, "/bulkhead-doctor.node")),
    attempt("open a debugger", () => {
      inspector.open(0, "127.0.0.1");
      inspector.close();
    }),
    ...(workers
      ? []
      : [
          attempt(
            "start a worker",
            () => void new Worker("", { eval: true, resourceLimits: { codeRangeSizeMb: 32 } }).terminate(),
          ),
        ]),
  ];
  return tried.map((one) => ({ ...one, through: one.through || !DENIED.includes(one.said) }));
}

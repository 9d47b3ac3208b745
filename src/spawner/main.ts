/**
 * Entry point of the spawner: a small process that starts others for the platform, because forking the platform would stop it
 * for a time that grows with its memory. It hands each process's streams to the platform, and ends when its standard input does.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { messageOf } from "../common/text.js";
import { killGroup } from "./local-child.js";
import { type ChildSpec, gateOf, type Order, type Report } from "./spec.js";
import { startHere } from "./start-here.js";

interface Running {
  readonly child: ChildProcess;
  readonly group: boolean;
}

const running = new Map<number, Running>();

function tell(report: Report, stream?: Socket): void {
  // A channel that has closed ends this process.
  process.send?.(report, stream, {}, () => {});
}

/** Waits for the platform's line, then becomes the command, in the same process. Without the line it ends. */
const GATED = 'read -r _ <&"$0" || exit; exec "$@"';

/** Returns the command behind a gate, on the descriptor that `gateOf` names. */
function gated({ command, args, ...rest }: ChildSpec): ChildSpec {
  return { ...rest, command: "/bin/sh", args: ["-c", GATED, String(gateOf(rest.streams)), command, ...args] };
}

function start(id: number, spec: ChildSpec): void {
  let child: ChildProcess;
  try {
    child = startHere(gated(spec));
  } catch (error) {
    tell({ kind: "failed", id, why: messageOf(error) });
    return;
  }
  const { pid } = child;
  if (pid === undefined) {
    child.once("error", (error) => tell({ kind: "failed", id, why: error.message }));
    return;
  }
  for (const one of [child, ...child.stdio]) one?.on("error", () => {});
  running.set(id, { child, group: spec.group === true });
  child.once("exit", (code, signal) => {
    running.delete(id);
    // A leader that ended by itself leaves the others of its group behind.
    if (spec.group) killGroup(pid);
    tell({ kind: "ended", id, code, signal });
  });
  // Node sends one stream at a time, closes its own copy once the platform has it, and sends everything else after that.
  for (const [descriptor, stream] of child.stdio.entries())
    if (stream && spec.streams[descriptor] === "pipe") tell({ kind: "stream", id, descriptor }, stream as Socket);
  tell({ kind: "started", id, pid });
}

function kill(id: number): void {
  const one = running.get(id);
  if (one === undefined) return;
  if (one.group && one.child.pid !== undefined) killGroup(one.child.pid);
  else one.child.kill("SIGKILL");
}

// A service manager's signal goes to every process of the service: the platform closes first, and needs this one until then.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
// Node reports no disconnection while a stream that it has sent is unconfirmed: standard input closes in any case.
for (const over of ["end", "close", "error"] as const) process.stdin.on(over, () => process.exit());
process.stdin.resume();
process.once("disconnect", () => process.exit());
process.on("message", (order: Order) => {
  if (order.kind === "start") start(order.id, order.spec);
  else kill(order.id);
});
tell({ kind: "up" });

/** Runs in place of a worker's bootstrap: probes the worker's realm, then a plugin's compartment. */

import { runInThisContext } from "node:vm";
import { type MessagePort, threadId } from "node:worker_threads";
import { PLUGIN_GLOBAL } from "../../protocol/bundle-global.js";
import { routeHeader } from "../../protocol/frame.js";
import { PROTOCOL_VERSION } from "../../protocol/messages.js";
import { RUNTIME_VERSION } from "../../protocol/version.js";
import { lockdownRealm } from "../../worker/lockdown.js";
import { Outbox } from "../../worker/outbox.js";
import { assemblePowers } from "../../worker/powers.js";
import { evaluateBundle } from "../../worker/sandbox.js";
import { observe, type Probe, type ProbeRequest } from "../probe.js";
import { COMPARTMENT_CODE } from "./compartment.js";
import { permissionFlags } from "./flags.js";

/** Probes by check. */
export type WorkerReport = Readonly<Record<string, readonly Probe[]>>;

interface Task {
  readonly port: MessagePort;
  readonly route: number;
}

/** Sends a valid hello, then replies to one frame with a report. */
export default function task({ port, route }: Task): Promise<never> {
  const header = routeHeader(route);
  const outbox = new Outbox(header, (frame) => port.postMessage(frame));
  port.on("message", (text: string) => {
    const { without } = JSON.parse(text) as Pick<ProbeRequest, "without">;
    void report(without).then((found) => port.postMessage(`${header}${JSON.stringify(found)}`));
  });
  outbox.push({ kind: "hello", protocol: PROTOCOL_VERSION, runtime: RUNTIME_VERSION, thread: threadId });
  return new Promise<never>(() => {});
}

async function report(without: ProbeRequest["without"]): Promise<WorkerReport> {
  const names = Object.keys(process.env);
  const more = process.argv.slice(2);
  return {
    "worker.flags": await permissionFlags(__filename, false),
    "worker.environment": [
      observe("find an environment", names.length > 0, names.join(" ") || "empty"),
      observe("find arguments", more.length > 0, more.join(" ") || "none"),
    ],
    // Last: it changes the realm.
    ...(without.includes("compartment") ? outside() : inside()),
  };
}

/** Evaluates the code as `worker/session.ts` does for a plugin without a grant. */
function inside(): WorkerReport {
  const realm = lockdownRealm();
  const noHost = { request: () => Promise.reject(new Error("a trial has no host")), notice: () => {} };
  const { globals } = assemblePowers({}, noHost as never);
  return plain(evaluateBundle(realm, "doctor", COMPARTMENT_CODE, globals));
}

/** Evaluates the same code without a compartment, in a realm that is not locked down. */
function outside(): WorkerReport {
  return plain(runInThisContext(`(() => { ${COMPARTMENT_CODE}\nreturn ${PLUGIN_GLOBAL}; })()`));
}

/** Reduces a value from a compartment to plain data. */
function plain(value: unknown): WorkerReport {
  return JSON.parse(JSON.stringify(value)) as WorkerReport;
}

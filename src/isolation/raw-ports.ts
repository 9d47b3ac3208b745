/**
 * Guards a worker thread's two ports besides its link: Node's own (stdout, fatal errors) and Piscina's. Their listeners trust
 * the worker, and a single `null` posted there is an uncaught exception of the platform. Honest bootstraps close Piscina's
 * before a plugin's first line runs, but Node's cannot be closed, and an attacker who owns the worker's realm finds it on
 * `process.stdout`.
 */
import type { Worker } from "node:worker_threads";

type Listener = (message: unknown) => unknown;

/** Called when the worker has posted something that no honest worker posts there. */
export type Foreign = () => void;

/** Filters Node's own port of `thread`: messages at which Node's listener would throw go to `foreign` instead. */
export function guardNodePort(thread: Worker, foreign: Foreign): void {
  const key = symbolOf(Object.getPrototypeOf(thread) as object, "kOnMessage");
  const holder = thread as unknown as Record<symbol, Listener>;
  const listener = key === undefined ? undefined : holder[key];
  if (key === undefined || typeof listener !== "function") return;
  Object.defineProperty(thread, key, {
    configurable: true,
    writable: true,
    value: guarded((message) => listener.call(thread, message), foreign),
  });
  for (const stream of [thread.stdout, thread.stderr]) stream.on("error", foreign);
}

/**
 * Does the same for Piscina's port; `created` is what its event `workerCreate` carries. Passes only replies to a running
 * task.
 */
export function guardPiscinaPort(created: unknown, foreign: (thread: Worker) => void): void {
  const key = symbolOf(created as object, "Piscina.kWorkerData");
  const info = key === undefined ? undefined : (created as Record<symbol, PiscinaWorker>)[key];
  if (info === undefined || typeof info.onMessage !== "function") return;
  const { onMessage, taskInfos, worker } = info;
  info.onMessage = guarded(
    (message) => {
      if (!taskInfos.has((message as { taskId: unknown }).taskId)) throw new Error("no answer to a task");
      return onMessage(message);
    },
    () => foreign(worker),
  );
}

/** The parts used of Piscina's own record of a worker. */
interface PiscinaWorker {
  readonly worker: Worker;
  readonly taskInfos: ReadonlyMap<unknown, unknown>;
  onMessage: Listener;
}

function guarded(listener: Listener, foreign: Foreign): Listener {
  return (message) => {
    try {
      return listener(message);
    } catch {
      foreign();
      return undefined;
    }
  };
}

function symbolOf(holder: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(holder).find((one) => one.description === description);
}

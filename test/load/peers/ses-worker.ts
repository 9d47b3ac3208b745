/** A bare worker with `ses` locked down: what a cold load and the memory of an idle plugin are held against. */
import { parentPort } from "node:worker_threads";
import "ses";

declare const lockdown: () => void;

lockdown();
parentPort?.on("message", () => {});
parentPort?.postMessage("ready");

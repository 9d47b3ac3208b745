import { parentPort } from "node:worker_threads";
import { ANSWER } from "./workload.js";

parentPort?.on("message", ({ id }: { id: number }) => parentPort?.postMessage({ id, answer: ANSWER }));

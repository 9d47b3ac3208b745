import { parentPort } from "node:worker_threads";
import { ANSWER } from "./peer.js";

parentPort?.on("message", ({ id }: { id: number }) => parentPort?.postMessage({ id, answer: ANSWER }));

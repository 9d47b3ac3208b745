/** Entry point of the thread that reads one profile. */
import { parentPort, workerData } from "node:worker_threads";
import { type RawProfile, readProfile } from "./read-profile.js";

parentPort?.postMessage(readProfile(workerData as RawProfile));

/** Grows, and says nothing: takes memory and touches it, past what is watched for, and stays. */
import { Socket } from "node:net";
import { DOCTOR } from "../limits.js";

const stream = new Socket({ fd: 3, readable: true, writable: true });
const kept: Buffer[] = [];
for (const event of ["error", "end", "close"]) stream.on(event, () => process.exit(0));
stream.resume();

const timer = setInterval(() => {
  if (process.memoryUsage.rss() / 1_048_576 > DOCTOR.growToMb) clearInterval(timer);
  else kept.push(Buffer.alloc(DOCTOR.growChunkMb * 1_048_576, 1));
}, 1);
// What is kept is kept.
setInterval(() => kept.length, DOCTOR.lingerMs);

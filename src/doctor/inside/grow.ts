/** Allocates and touches memory beyond the watched limit, and keeps it. */
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
// Keeps the memory reachable.
setInterval(() => kept.length, DOCTOR.lingerMs);

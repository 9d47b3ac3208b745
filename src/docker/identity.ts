/** Identifies the process that serves a socket: a Bulkhead daemon replies with its PID. */

import { z } from "../common/zod.js";
import { DOCKER } from "./limits.js";
import { unixJson } from "./unix-request.js";

/** Path of the request. */
export const IDENTITY_PATH = "/Bulkhead.Identity";

/** The reply of a Bulkhead daemon. */
export interface Identity {
  readonly Program: "bulkhead";
  /** The PID in its own PID namespace. */
  readonly Pid: number;
}

const identitySchema: z.ZodType<Identity> = z.object({ Program: z.literal("bulkhead"), Pid: z.int().min(1) });

/** Returns this daemon's reply. */
export function identity(): Identity {
  return { Program: "bulkhead", Pid: process.pid };
}

/** Returns the daemon that serves a socket; undefined if it is another program. Never rejects. */
export async function identifyServer(socketPath: string): Promise<Identity | undefined> {
  const { probeMs: ms, identityBytes: maxBytes } = DOCKER;
  const read = identitySchema.safeParse(
    await unixJson({ socketPath, method: "POST", path: IDENTITY_PATH, ms, maxBytes }),
  );
  return read.success ? read.data : undefined;
}

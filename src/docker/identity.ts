/** How a daemon that finds its socket taken learns which process serves it: it asks there, and another daemon of ours names its PID. */

import { z } from "../common/zod.js";
import { DOCKER } from "./limits.js";
import { unixJson } from "./unix-request.js";

/** Where that is asked. */
export const IDENTITY_PATH = "/Bulkhead.Identity";

/** What a daemon of ours says of itself. */
export interface Identity {
  readonly Program: "bulkhead";
  /** As it is numbered in its own PID namespace. */
  readonly Pid: number;
}

const identitySchema: z.ZodType<Identity> = z.object({ Program: z.literal("bulkhead"), Pid: z.int().min(1) });

/** What this daemon answers. */
export function identity(): Identity {
  return { Program: "bulkhead", Pid: process.pid };
}

/** The daemon that serves a socket; undefined: another program does. Never rejects. */
export async function whoServes(socketPath: string): Promise<Identity | undefined> {
  const { probeMs: ms, identityBytes: maxBytes } = DOCKER;
  const read = identitySchema.safeParse(
    await unixJson({ socketPath, method: "POST", path: IDENTITY_PATH, ms, maxBytes }),
  );
  return read.success ? read.data : undefined;
}

/** Where in a host process the streams of its workers are, and how a worker is told of its own. */

/** Descriptor of the first worker's stream: 3 is the process's own, 4 and 5 are read by the wall. */
export const FIRST_SLOT = 6;

/** Handed to a worker on its port, before any plugin's code exists in it. From then on it reads and writes only there. */
export interface StreamGrant {
  readonly descriptor: number;
  /** The stream's key; absent where the worker has no neighbours. */
  readonly key?: Uint8Array;
}

/**
 * Returns the grant of a stream; `key` in hexadecimal. The key gets memory of its own: posted as a part of Node's buffer pool, it
 * would take the whole pool along, and with it the neighbours' keys.
 */
export function streamGrant(slot: number, key: string | undefined): StreamGrant {
  const descriptor = FIRST_SLOT + slot;
  if (key === undefined) return { descriptor };
  const pooled = Buffer.from(key, "hex");
  const own = Uint8Array.from(pooled);
  pooled.fill(0);
  return { descriptor, key: own };
}

/** Passed to a worker on its port: the platform has written that many frames to its stream, and none of it waits. */
export interface FrameCount {
  readonly frames: number;
}

/** Posted by a worker on its port when something else has read, written or closed its stream. */
export const BROKEN_STREAM = "broken stream";

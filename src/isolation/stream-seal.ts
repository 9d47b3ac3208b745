/**
 * The seal of the stream between the platform and a host process. Whoever owns a worker's realm can read and write the descriptors
 * of its process, but the key is known to the process's main thread alone: what such a one reads is noise, and what it writes
 * comes out as noise, which is no frame. So nobody forges a neighbour's frame, and who tries costs its process.
 */
import { createCipheriv } from "node:crypto";

/** Bytes of a stream's key; the platform sends it before all else, when there is no worker yet. */
export const KEY_BYTES = 32;

/** Each direction has a stream of its own. */
const CIPHER = "aes-256-ctr";
const IV_BYTES = 16;

/** Seals or opens one direction of a stream, in order: bytes in, as many bytes out. */
export type Seal = (bytes: Buffer) => Buffer;

/** The seal of what flows "down" to a host process or "up" from it; both ends make it from the key. */
export function streamSeal(key: Buffer, direction: "down" | "up"): Seal {
  const cipher = createCipheriv(CIPHER, key, Buffer.alloc(IV_BYTES, direction));
  return (bytes) => cipher.update(bytes);
}

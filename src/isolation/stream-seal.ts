/**
 * Encrypts the stream between the platform and a host process. An attacker who owns a worker's realm can read and write the
 * descriptors of its process, but only the process's main thread knows the key: the attacker reads noise, and what it writes
 * decrypts to noise, which is not a frame. So no worker can forge a neighbour's frame, and an attempt costs it its process.
 */
import { createCipheriv } from "node:crypto";

/** Bytes of a stream's key; the platform sends it first, before any worker exists. */
export const KEY_BYTES = 32;

/** Each direction has its own key stream. */
const CIPHER = "aes-256-ctr";
const IV_BYTES = 16;

/** Seals or opens one direction of a stream, in order: bytes in, as many bytes out. */
export type Seal = (bytes: Buffer) => Buffer;

/** Returns the seal of what flows "down" to a host process or "up" from it; both ends derive it from the key. */
export function streamSeal(key: Buffer, direction: "down" | "up"): Seal {
  const cipher = createCipheriv(CIPHER, key, Buffer.alloc(IV_BYTES, direction));
  return (bytes) => cipher.update(bytes);
}

/**
 * Encrypts the streams between the platform and a host process. An attacker in control of a worker's realm can use every descriptor of
 * its process but has only its own stream's key, so what it writes to another decrypts to noise, which ends the process.
 */
import type { createCipheriv } from "node:crypto";

/** Bytes of a stream's key. */
export const KEY_BYTES = 32;

/** Each direction has its own key stream. */
const CIPHER = "aes-256-ctr";
const IV_BYTES = 16;

/** Seals or opens one direction of a stream, in order: bytes in, as many bytes out. */
export type Seal = (bytes: Buffer) => Buffer;

/**
 * Returns the seal of what flows "down" to a host process or "up" from it; both ends derive it from the key. `create`: Node's
 * function of this name.
 */
export function streamSeal(key: Uint8Array, direction: "down" | "up", create: typeof createCipheriv): Seal {
  const cipher = create(CIPHER, key, Buffer.alloc(IV_BYTES, direction));
  return (bytes) => cipher.update(bytes);
}

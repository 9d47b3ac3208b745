/**
 * Checks that a request is signed with the page's token. The token itself is never sent, so a program that listens on the port while
 * the daemon is down cannot learn it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Refusal } from "./guard.js";
import { PAGE } from "./limits.js";

/** `Bulkhead TIME.NONCE.MAC`: Unix milliseconds, 16 random bytes and the MAC in base64url. */
const FORM = /^Bulkhead ((\d{13})\.[\w-]{22})\.([\w-]{43})$/;

const REFUSED: Refusal = { status: 401, message: "the request is not signed with the page's token" };

export class Signatures {
  readonly #token: string;
  /** Accepted requests by time and nonce, each with the Unix time in milliseconds at which it expires. */
  readonly #seen = new Map<string, number>();

  constructor(token: string) {
    this.#token = token;
  }

  /** Refuses a request that is not signed, or was made before. */
  refuse(method: string, url: string, { authorization = "" }: IncomingHttpHeaders): Refusal | undefined {
    const [, once = "", time = "", given = ""] = FORM.exec(authorization) ?? [];
    const wanted = createHmac("sha256", this.#token).update(`${once} ${method} ${url}`).digest();
    const mac = Buffer.from(given, "base64url");
    if (mac.length !== wanted.length || !timingSafeEqual(mac, wanted)) return REFUSED;
    const now = Date.now();
    if (Math.abs(now - Number(time)) > PAGE.signedMs)
      return { status: 401, message: "the browser's clock is more than five minutes from the host's" };
    this.#forget(now);
    if (this.#seen.has(once) || this.#seen.size >= PAGE.signatures) return REFUSED;
    this.#seen.set(once, Number(time) + PAGE.signedMs);
    return undefined;
  }

  /** Removes expired requests from the front of the map; it stops at the first one that has not expired. */
  #forget(now: number): void {
    for (const [once, until] of this.#seen) {
      if (until >= now) return;
      this.#seen.delete(once);
    }
  }
}

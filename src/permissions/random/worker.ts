/** `random`, in the worker: Math.random and bytes from the system's generator, so one plugin's values reveal nothing about another's. */
import { randomFillSync, randomUUID } from "node:crypto";
import { types } from "node:util";
import type { RandomLimits } from "../catalogue.js";
import { GLOBALS } from "../limits.js";
import type { Endowment, HostPort } from "../permission.js";
import { kindOf, overLimit, wrongArgument } from "../refusal.js";
import { bytesOf } from "../text-globals/encoding.js";

/** Values of Math.random fetched at a time: a system call for each would take a microsecond. */
const DRAWS = 512;

/**
 * Global `Math`: the realm's, with `random()` (53 bits). Global `crypto`: only `getRandomValues` and `randomUUID`.
 * `powers.random.bytes(n)`: a new Uint8Array, 0 ≤ n ≤ 65,536; throws `ERR_PERMISSION_ARGUMENT` or `ERR_PERMISSION_LIMIT` otherwise.
 */
export function endow(_limits: RandomLimits, _port?: HostPort): Endowment {
  const pool = new Uint32Array(2 * DRAWS);
  let next = pool.length;
  const random = (): number => {
    if (next >= pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    const high = (pool[next] ?? 0) >>> 5;
    const low = (pool[next + 1] ?? 0) >>> 6;
    next += 2;
    return (high * 2 ** 26 + low) / 2 ** 53;
  };

  const bytes = (n: unknown): Uint8Array => {
    if (typeof n !== "number") throw wrongArgument(`random.bytes: n must be a whole number, not ${kindOf(n)}`);
    if (!Number.isSafeInteger(n) || n < 0)
      throw wrongArgument(`random.bytes: n must be a whole number, 0 or more, not ${n}`);
    if (n > GLOBALS.randomBytes)
      throw overLimit(`random.bytes: ${n} bytes asked; at most ${GLOBALS.randomBytes} at a time`);
    // A separate buffer: Node's randomBytes may return a slice of a shared pool.
    return randomFillSync(new Uint8Array(n));
  };

  // Only integer arrays, as in the Web Crypto standard.
  const getRandomValues = (view: unknown): unknown => {
    if (!ArrayBuffer.isView(view) || types.isDataView(view) || types.isFloat32Array(view) || types.isFloat64Array(view))
      throw wrongArgument(`crypto.getRandomValues takes an array of whole numbers, not ${kindOf(view)}`);
    const target = bytesOf("crypto.getRandomValues", view);
    if (target.byteLength > GLOBALS.randomBytes)
      throw overLimit(
        `crypto.getRandomValues: ${target.byteLength} bytes asked; at most ${GLOBALS.randomBytes} at a time`,
      );
    randomFillSync(target);
    return view;
  };
  // A cache would be shared by all plugins in the process.
  const crypto = { getRandomValues, randomUUID: (): string => randomUUID({ disableEntropyCache: true }) };

  const members: PropertyDescriptorMap = { ...Object.getOwnPropertyDescriptors(Math), random: { value: random } };
  return { globals: { Math: Object.defineProperties({}, members), crypto }, power: { bytes } };
}

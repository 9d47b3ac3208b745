/** Makes a failing input smaller, as long as that is cheap: parts are left out, from halves down to single characters. */

/** Tries of one input. */
const TRIES = 400;

/** The smallest text or bytes found that still fail; anything else is given back as it is. */
export async function shrink(input: unknown, fails: (input: unknown) => Promise<boolean>): Promise<unknown> {
  if (typeof input !== "string" && !Buffer.isBuffer(input)) return input;
  let best: string | Buffer = input;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1 && tries < TRIES; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && tries < TRIES; ) {
      const part: string | Buffer = without(best, at, at + size);
      tries++;
      if (await fails(part)) best = part;
      else at += size;
    }
  }
  return best;
}

function without(whole: string | Buffer, from: number, to: number): string | Buffer {
  if (typeof whole === "string") return whole.slice(0, from) + whole.slice(to);
  return Buffer.concat([whole.subarray(0, from), whole.subarray(to)]);
}

/** A histogram of latencies in constant memory: buckets grow with the value, so that errors are at most 0.8 %. */

/** Bits after the leading one that a bucket keeps. */
const BITS = 7;
const HALF = 1 << BITS;
/** Values are in nanoseconds; those from 2^40 (18 minutes) go to the last bucket. */
const OCTAVES = 40 - BITS;

/** A distribution in microseconds; `NaN` if nothing was recorded. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Histogram {
  readonly #counts = new Uint32Array(HALF * (OCTAVES + 2));
  #count = 0;
  #max = 0;

  /** Adds one latency, in milliseconds. */
  record(ms: number): void {
    const at = bucket(ms);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count++;
    if (ms > this.#max) this.#max = ms;
  }

  get count(): number {
    return this.#count;
  }

  /** Returns the value, in microseconds, that `share` (0 to 1) of the latencies do not exceed. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(middle(index) / 1000, this.#max * 1000);
    }
    return this.#max * 1000;
  }

  quantiles(): Quantiles {
    return {
      count: this.#count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      p999: this.quantile(0.999),
      max: this.#count === 0 ? Number.NaN : this.#max * 1000,
    };
  }
}

function bucket(ms: number): number {
  const nanoseconds = Math.min(Math.max(0, Math.round(ms * 1e6)), 2 ** 40 - 1);
  const octave = Math.max(0, Math.floor(Math.log2(nanoseconds)) - BITS);
  return octave * HALF + Math.floor(nanoseconds / 2 ** octave);
}

/** Returns the middle of a bucket, in nanoseconds. */
function middle(index: number): number {
  const octave = Math.max(0, Math.floor(index / HALF) - 1);
  return (index - octave * HALF + 0.5) * 2 ** octave;
}

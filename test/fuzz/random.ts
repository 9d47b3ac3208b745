/** A seeded source of numbers (mulberry32): the same seed, target and number give the same input on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ n < 2³². */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 ≤ n < `below`; 0 where `below` is 0. */
  below(below: number): number {
    return below <= 0 ? 0 : this.next() % below;
  }

  /** True once in `n`. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(from: readonly T[]): T {
    const item = from[this.below(from.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

/** A seed of its own for each name and number (FNV-1a). */
export function seedOf(seed: number, name: string, index: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const unit of `${name}/${index}`) hash = Math.imul(hash ^ unit.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

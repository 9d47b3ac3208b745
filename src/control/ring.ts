/** The last items of one kind, bounded in number and size. Each has a place: 0 for the first that was ever added, and so on. */

export interface RingItem {
  /** Rises from item to item, with gaps. */
  readonly number: number;
  readonly text: string;
}

export interface RingLimits {
  readonly items: number;
  /** UTF-16 units of all texts together. One item that is longer is kept all the same. */
  readonly chars: number;
}

export class Ring<T extends RingItem> {
  readonly #limits: RingLimits;
  readonly #items: (T | undefined)[] = [];
  #chars = 0;
  #first = 0;
  #next = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** Place of the oldest item that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Place of the next item. */
  get next(): number {
    return this.#next;
  }

  get chars(): number {
    return this.#chars;
  }

  at(place: number): T | undefined {
    return place < this.#first || place >= this.#next ? undefined : this.#items[place % this.#limits.items];
  }

  /** Adds an item; the oldest ones make room. */
  add(item: T): void {
    const { items, chars } = this.#limits;
    if (this.#next - this.#first >= items) this.#evict();
    this.#items[this.#next++ % items] = item;
    this.#chars += item.text.length;
    while (this.#chars > chars && this.#next - this.#first > 1) this.#evict();
  }

  /** Returns the place of the first kept item whose number is at least `number`. */
  placeOf(number: number): number {
    let [low, high] = [this.#first, this.#next];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.at(middle)?.number ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #evict(): void {
    const index = this.#first % this.#limits.items;
    this.#chars -= this.#items[index]?.text.length ?? 0;
    this.#items[index] = undefined;
    this.#first++;
  }
}

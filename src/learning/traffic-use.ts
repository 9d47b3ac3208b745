/** What a plugin uses of `traffic`: the shapes that it was granted, and the most links that had one at a time. */
import { EFFECT_OF, type Effect } from "../permissions/traffic/grant.js";
import { isShaped, numbersOf, SHAPE_FIELDS, type TrafficShape } from "../permissions/traffic/shape.js";
import { noted } from "./noted.js";
import type { TrafficUsage } from "./usage.js";

export class TrafficUse {
  readonly #owns: (link: string) => boolean;
  readonly #effects = new Set<Effect>();
  readonly #rates = new Set<number>();
  readonly #links = new Set<string>();
  #most = 0;
  #delay = 0;
  #loss = 0;

  /** `owns`: true while the plugin has a link of that name. */
  constructor(owns: (link: string) => boolean) {
    this.#owns = owns;
  }

  /** Undefined: the permission was not used. */
  get used(): TrafficUsage | undefined {
    if (this.#effects.size === 0) return undefined;
    return {
      ...{ effects: [...this.#effects], links: this.#most, rates: [...this.#rates] },
      ...{ delay: this.#delay, loss: this.#loss },
    };
  }

  /** Notes a shape that was granted; `link` undefined: only checked. */
  note(link: string | undefined, shape: TrafficShape): void {
    for (const field of SHAPE_FIELDS) if (shape[field] !== undefined) this.#effects.add(EFFECT_OF[field]);
    const { rate, delay = 0, loss = 0 } = numbersOf(shape);
    if (rate !== undefined) noted(this.#rates, rate);
    this.#delay = Math.max(this.#delay, delay);
    this.#loss = Math.max(this.#loss, loss);
    if (link === undefined) return;
    for (const one of this.#links) if (!this.#owns(one)) this.#links.delete(one);
    if (isShaped(shape)) this.#links.add(link);
    else this.#links.delete(link);
    this.#most = Math.max(this.#most, this.#links.size);
  }
}

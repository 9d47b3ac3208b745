/** A small chart of one figure over the last minutes. */
import uPlot from "uplot";
import { make, setText } from "./dom.js";

const HEIGHT = 44;

export class Chart {
  readonly element: HTMLElement;
  readonly #caption: HTMLElement = make("figcaption");
  readonly #box: HTMLElement = make("div", { role: "img" });
  readonly #name: string;
  readonly #unit: string;
  #plot: uPlot | undefined;

  constructor(name: string, unit: string) {
    this.#name = name;
    this.#unit = unit;
    this.element = make("figure", {}, this.#caption, this.#box);
  }

  /** Shows values by time. A screen reader gets the last value and the highest one. */
  show(times: readonly number[], values: readonly (number | null)[]): void {
    const known = values.filter((value) => value !== null);
    const last = values.at(-1) ?? null;
    setText(this.#caption, `${this.#name} ${this.#text(last)}`);
    const highest = known.length === 0 ? null : Math.max(...known);
    const label = `${this.#name} over the last minutes: now ${this.#text(last)}, at most ${this.#text(highest)}`;
    this.#box.setAttribute("aria-label", label);
    const width = this.#box.clientWidth;
    if (width === 0) return;
    const data: uPlot.AlignedData = [[...times], [...values]];
    this.#plot ??= new uPlot(options(width, this.#box), data, this.#box);
    if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
    this.#plot.setData(data);
  }

  #text(value: number | null): string {
    if (value === null) return "–";
    return `${value < 10 ? Number(value.toPrecision(2)) : Math.round(value)} ${this.#unit}`;
  }
}

function options(width: number, box: HTMLElement): uPlot.Options {
  // Read at each drawing: the colours change with the system's.
  const stroke = (): string => getComputedStyle(box).color;
  return {
    ...{ width, height: HEIGHT, padding: [3, 0, 3, 0] },
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { y: { range: (_, __, highest) => [0, Math.max(highest ?? 0, 0.001)] } },
    series: [{}, { stroke, width: 1.5, spanGaps: false, points: { show: false } }],
  };
}

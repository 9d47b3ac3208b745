/** The chart: median and p99 latency against offered rate, both on logarithmic axes, ours and the peers', as SVG. */
import type { BenchFile } from "./bench.js";
import type { CurvePoint } from "./row.js";

const WIDTH = 860;
const HEIGHT = 460;
const LEFT = 70;
const RIGHT = 230;
const TOP = 56;
const BOTTOM = 64;
/** Told apart by the colour-blind too; ours are the first two, and thicker. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#999999", "#e69f00", "#56b4e9"];
const OURS = 2;
const DECADES = { rate: [3, 5.3], latency: [1, 6] } as const;

/** Draws a file of `npm run bench -- --json FILE`. */
export function chart({ meta, curves }: Pick<BenchFile, "meta" | "curves">): string {
  const lines = [...new Set(curves.map(({ id }) => id))].map((one) => curves.filter(({ id }) => id === one));
  const drawn = lines.map((points, index) => line(points, index));
  const { commit, date, node, cpu, cores } = meta;
  const foot = `commit ${commit}, ${date.slice(0, 10)}, Node ${node}, ${cpu} (${cores} cores); npm run bench -- --chart FILE`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>Latency of createEndpoint against the rate offered, ours and the peers'</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
<text x="${LEFT}" y="22" font-size="15">createEndpoint: latency against offered rate (open loop)</text>
<text x="${LEFT}" y="40" fill="#555555">solid: p50, dashed: p99, from the intended sending; a line ends where the rate is not borne</text>
${axes()}
${drawn.join("\n")}
<text x="${LEFT}" y="${HEIGHT - 10}" font-size="10" fill="#555555">${escaped(foot)}</text>
</svg>
`;
}

function line(points: readonly CurvePoint[], index: number): string {
  const colour = COLOURS[index % COLOURS.length];
  const width = index < OURS ? 3 : 1.5;
  const path = (of: "p50" | "p99"): string =>
    points.map((point) => `${x(point.offered).toFixed(1)},${y(point[of]).toFixed(1)}`).join(" ");
  const at = TOP + 14 + index * 20;
  const legend = WIDTH - RIGHT + 16;
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="${width}" points="${path("p50")}"/>`,
    `<polyline fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="4 4" points="${path("p99")}"/>`,
    ...points.map(
      (point) =>
        `<circle cx="${x(point.offered).toFixed(1)}" cy="${y(point.p50).toFixed(1)}" r="${width}" fill="${colour}"/>`,
    ),
    `<line x1="${legend}" x2="${legend + 24}" y1="${at - 4}" y2="${at - 4}" stroke="${colour}" stroke-width="${width}"/>`,
    `<text x="${legend + 30}" y="${at}">${escaped(points[0]?.what ?? "")}</text>`,
  ].join("\n");
}

function axes(): string {
  const grid: string[] = [];
  for (const rate of [1e3, 1e4, 1e5])
    for (const factor of [1, 2, 5]) {
      if (rate * factor > 10 ** DECADES.rate[1]) continue;
      const at = x(rate * factor).toFixed(1);
      grid.push(
        `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#e5e5e5"/>`,
        `<text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${(rate * factor) / 1000}k</text>`,
      );
    }
  for (let decade = DECADES.latency[0]; decade <= DECADES.latency[1]; decade++) {
    const at = y(10 ** decade).toFixed(1);
    const label = decade < 3 ? `${10 ** decade} µs` : `${10 ** (decade - 3)} ms`;
    grid.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#e5e5e5"/>`,
      `<text x="${LEFT - 8}" y="${Number(at) + 4}" text-anchor="end">${label}</text>`,
    );
  }
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  grid.push(`<text x="${middle}" y="${HEIGHT - BOTTOM + 34}" text-anchor="middle">calls offered per second</text>`);
  return grid.join("\n");
}

function x(rate: number): number {
  return LEFT + scaled(rate, DECADES.rate) * (WIDTH - LEFT - RIGHT);
}

function y(microseconds: number): number {
  return HEIGHT - BOTTOM - scaled(microseconds, DECADES.latency) * (HEIGHT - TOP - BOTTOM);
}

function scaled(value: number, [from, to]: readonly [number, number]): number {
  return Math.min(1, Math.max(0, (Math.log10(value) - from) / (to - from)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The picture on the landing page. `node build/test/docs/picture.js --write` draws it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the picture is kept. */
export const PICTURE = "src/bulkhead.svg";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly lines?: readonly string[];
  readonly fill: string;
  readonly stroke: string;
  /** Pixels. */
  readonly line?: number;
}

const [WIDTH, HEIGHT] = [880, 392];
const GREY = "#57606a";

const PLATFORM: Box = {
  ...{ x: 16, y: 48, width: 250, height: 296, fill: "#eaf2fb", stroke: "#0b5cad" },
  title: "platform",
  lines: ["your Node process", "", "host: deadlines, policy,", "journal, restarts"],
};
const ENGINE: Box = {
  ...{ x: 36, y: 196, width: 210, height: 56, fill: "#ffffff", stroke: "#0b5cad" },
  title: "host.driver(type)",
  lines: ["called by you"],
};
const GATEWAY: Box = { ...ENGINE, y: 268, title: "bulkhead serve", lines: ["called by a Docker engine"] };
const WALL: Box = {
  ...{ x: 366, y: 48, width: 498, height: 296, fill: "#fff7ea", stroke: "#9a5b00", line: 5 },
  title: "wall: bubblewrap around a host process",
  lines: ["none of your files, no network, no new process, no rights"],
};

/** A worker with its compartment, `down` pixels below the first. */
function worker(down: number, plugin: string): readonly Box[] {
  const [x, y] = [390, 116 + down];
  return [
    {
      ...{ x, y, width: 450, height: 98, fill: "#f4f4f5", stroke: GREY, line: 2 },
      title: "worker: a thread per plugin",
      lines: ["a memory limit", "empty environment", "permission flags"],
    },
    {
      ...{ x: x + 176, y: y + 30, width: 258, height: 56, fill: "#e9f7ee", stroke: "#1a7f37" },
      title: `compartment (SES): ${plugin}`,
      lines: ["JavaScript and its grants, no more"],
    },
  ];
}

/** Draws the picture. */
export function picture(): string {
  const boxes = [PLATFORM, ENGINE, GATEWAY, WALL, ...worker(0, "hello.js"), ...worker(112, "tiny.js")];
  const text = (x: number, y: number, words: string, rest = ""): string =>
    `<text x="${x}" y="${y}" ${rest}>${words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
  const drawn = boxes.flatMap(({ x, y, width, height, title, lines = [], fill, stroke, line = 1.5 }) => [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${stroke}" stroke-width="${line}"/>`,
    text(x + 14, y + 22, title, 'font-weight="600"'),
    ...lines.map((words, at) => text(x + 14, y + 42 + 17 * at, words, `fill="${GREY}" font-size="13"`)),
  ]);
  const middle = (PLATFORM.x + PLATFORM.width + WALL.x) / 2;
  const arrow = (y: number, words: string, back: boolean): readonly string[] => {
    const [from, to] = [PLATFORM.x + PLATFORM.width + 4, WALL.x - 6];
    return [
      `<line x1="${back ? to : from}" y1="${y}" x2="${back ? from : to}" y2="${y}" stroke="${GREY}" stroke-width="2" marker-end="url(#head)"/>`,
      text(middle, y - 8, words, 'text-anchor="middle" font-size="13"'),
    ];
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" font-family="system-ui, sans-serif" font-size="14">`,
    "<title>Platform, wall, worker and compartment</title>",
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">',
    `<path d="M0 0 L8 4 L0 8 z" fill="${GREY}"/></marker></defs>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(16, 30, "A call, from the platform to a driver and back", 'font-weight="600" font-size="16"'),
    ...drawn,
    ...arrow(172, "request", false),
    ...arrow(222, "reply", true),
    text(middle, 246, "length-checked", `text-anchor="middle" fill="${GREY}" font-size="12"`),
    text(middle, 262, "text only", `text-anchor="middle" fill="${GREY}" font-size="12"`),
    text(
      16,
      372,
      'isolation "process" is shown; "dedicated" gives a plugin a host process of its own; "thread" leaves the wall out.',
      `fill="${GREY}" font-size="13"`,
    ),
    "</svg>",
    "",
  ].join("\n");
}

if (process.argv.includes("--write")) writeFileSync(join(process.cwd(), PICTURE), picture());

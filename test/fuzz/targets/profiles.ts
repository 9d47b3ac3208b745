/**
 * What a worker's engine sends as a profile: `readProfile` gives the profile with the author's places, or says in a line why it is not
 * one; it never throws, and no path of the machine is in what it gives.
 */
import fc from "fast-check";
import { PROFILE } from "#dist/profile/limits.js";
import { readProfile } from "#dist/profile/read-profile.js";
import { anyText, mostly } from "../generators/values.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

type Kind = "cpu" | "heap";

/** Lines 1 to 4 of the bundle: in the plugin's folder, in two packages outside it, in a file above it; line 5 has no source. */
const SOURCE_MAP = JSON.stringify({
  version: 3,
  sources: ["src/spin.ts", "/home/author/node_modules/left/pad.js", "file:///srv/right.js", "../above\u001b.js"],
  names: [],
  mappings: "AAAA;ACAA;ACAA;ACAA;A",
});

/** What a frame's file can be: the runtime's, Node's, or a source without the folders that it is in. */
const FILES =
  /^(?:|bulkhead:runtime|node:[\w/]+|src\/spin\.ts|node_modules\/left\/pad\.js|right\.js|above\\\\u\{1b\}\.js)$/;

const functionName = fc.oneof(fc.constantFrom("", "hot", "(root)", "(idle)", "x".repeat(300)), anyText(5));
const url = fc.oneof(
  fc.constantFrom("", "bulkhead-plugin", "node:events", "node:fs/promises", "file:///srv/host/worker.cjs", "node:../x"),
  anyText(4),
);
const position = fc.constantFrom(-1, 0, 1, 2, 3, 4, 5, 2_147_483_647, 2_147_483_648, -2, 1.5);
const frame = fc.record({ functionName, url, lineNumber: position, columnNumber: position });
const count = fc.constantFrom(0, 1, 64, 4096, -1);

/** Nodes of which each is a child of an earlier one; now and then an id is taken twice, or a child is missing. */
const nodes = fc
  .array(fc.record({ callFrame: mostly(frame), hitCount: count, parent: fc.nat(), slip: fc.nat(60) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) =>
    list.map(({ callFrame, hitCount, slip }, at) => ({
      ...{ id: slip === 1 ? 1 : at + 1, callFrame, hitCount },
      children: list.flatMap(({ parent }, child) =>
        child > 0 && parent % child === at && child > at && slip !== 2 ? [child + 1] : [],
      ),
      ...(slip % 3 === 0 ? { positionTicks: [{ line: slip, ticks: 1 }] } : {}),
    })),
  );
const cpu = fc
  .record({
    nodes: mostly(nodes),
    startTime: mostly(fc.integer()),
    endTime: mostly(fc.integer()),
    samples: mostly(fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 4 })),
    timeDeltas: mostly(fc.array(fc.integer({ min: -10, max: 2000 }), { maxLength: 4 })),
  })
  .map((value) => JSON.stringify(value));

const heapNode: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.record({
    callFrame: mostly(frame),
    selfSize: count,
    id: count,
    children: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant([]),
      mostly(fc.array(tie("node"), { maxLength: 3 })),
    ),
  }),
})).node;
const heap = fc
  .record({
    head: mostly(heapNode),
    samples: mostly(fc.array(fc.record({ size: count, nodeId: count, ordinal: count }), { maxLength: 3 })),
  })
  .map((value) => JSON.stringify(value));

const at = (name: string, file: string, lineNumber: number, columnNumber = 0) => ({
  ...{ functionName: name, url: file, lineNumber, columnNumber, scriptId: "7" },
});

const CPU = JSON.stringify({
  nodes: [
    { id: 1, hitCount: 0, callFrame: at("(root)", "", -1, -1), children: [2, 3, 4, 5] },
    { id: 2, callFrame: at("hot", "bulkhead-plugin", 1), positionTicks: [{ line: 2, ticks: 3 }], children: [6] },
    { id: 3, callFrame: at("pad", "bulkhead-plugin", 2) },
    { id: 4, callFrame: at("run", "file:///srv/host/worker.cjs", 9) },
    { id: 5, callFrame: at("on", "node:events", 4) },
    { id: 6, callFrame: at("", "bulkhead-plugin", 3) },
  ],
  startTime: 0,
  endTime: 9_000,
  samples: [2, 2, 3, 4, 5, 6],
  timeDeltas: [1000, 1000, 500, 500, -1, 7],
});
const leaf = { callFrame: at("leaf", "", 2), selfSize: 64, id: 3, children: [] };
const HEAP = JSON.stringify({
  head: {
    ...{ callFrame: at("(root)", "", -1, -1), selfSize: 0, id: 1 },
    children: [{ callFrame: at("keep", "", 1), selfSize: 4096, id: 2, children: [leaf] }, leaf],
  },
  samples: [{ size: 64, nodeId: 3, ordinal: 1 }],
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function run(of: Kind, input: unknown): Outcome {
  const text = String(input);
  const answer = readProfile({ of, text, sourceMap: SOURCE_MAP });
  if ("refused" in answer) {
    mustBeLine(answer.refused);
    return { reach: isJson(text) ? "refused" : "unread" };
  }
  const { profile, functions } = answer;
  for (const [, file = ""] of profile.matchAll(/"url":"((?:[^"\\]|\\.)*)"/g))
    must(FILES.test(file), `the file ${file}`);
  must(functions.length <= PROFILE.functions, `${functions.length} functions`);
  let before = Number.POSITIVE_INFINITY;
  for (const { name, file, self, share } of functions) {
    mustBeLine(name, PROFILE.nameChars * 10);
    mustBeLine(file ?? "", PROFILE.fileChars * 10);
    must(self <= before && share >= 0 && share <= 100, `${self} of ${before}, ${share} %`);
    before = self;
  }
  const again = readProfile({ of, text: profile, sourceMap: SOURCE_MAP });
  must(!("refused" in again), `what it gives is not a profile: ${"refused" in again ? again.refused : ""}`);
  return { reach: "accepted" };
}

export const cpuProfiles: Target = {
  name: "CPU profile",
  corpus: [CPU],
  most: 4096,
  files: [
    { file: "profile/cpu-profile.js" },
    { file: "profile/read-profile.js" },
    { file: "profile/frames.js" },
    { file: "profile/functions.js" },
  ],
  generated: cpu,
  once: ['{"nodes":[],"startTime":0,"endTime":0,"samples":[],"timeDeltas":[]}'],
  run: (input) => run("cpu", input),
};

export const heapProfiles: Target = {
  name: "heap profile",
  corpus: [HEAP],
  most: 4096,
  files: [
    { file: "profile/heap-profile.js" },
    { file: "profile/frames.js", functions: ["placed", "#author", "relative"] },
    { file: "profile/functions.js" },
  ],
  generated: heap,
  once: [`{"head":${'{"children":['.repeat(5000)}`],
  run: (input) => run("heap", input),
};

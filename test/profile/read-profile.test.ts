/** What a worker sends as a profile: places are the author's, no path of the machine stays, and anything else is refused. */
import { PROFILE } from "#dist/profile/limits.js";
import { readProfile } from "#dist/profile/read-profile.js";
import { assert, suite } from "../harness.js";

const test = suite("profile: reading");

/** Line 1 of the bundle is line 4 of `src/spin.ts`, its line 2 is line 2 of a source outside the plugin's folder. */
const SOURCE_MAP = JSON.stringify({
  version: 3,
  sources: ["src/spin.ts", "/home/author/node_modules/left/pad.js"],
  names: [],
  mappings: "AAGA;ACFA",
});

const frame = (functionName: string, url: string, lineNumber = -1, columnNumber = -1) => ({
  ...{ functionName, url, lineNumber, columnNumber, scriptId: "7" },
});

const CPU = {
  nodes: [
    { id: 1, hitCount: 0, callFrame: frame("(root)", ""), children: [2, 3, 4, 5, 6] },
    {
      id: 2,
      hitCount: 3,
      callFrame: frame("hot\u001b[2J", "bulkhead-plugin", 1, 0),
      positionTicks: [{ line: 2, ticks: 3 }],
    },
    { id: 3, hitCount: 1, callFrame: frame("pad", "bulkhead-plugin", 2, 0) },
    { id: 4, hitCount: 1, callFrame: frame("run", "file:///srv/host/dist/worker/bootstrap.cjs", 9, 9) },
    { id: 5, hitCount: 1, callFrame: frame("on", "node:events", 4, 2) },
    { id: 6, hitCount: 9, callFrame: frame("(idle)", "") },
  ],
  startTime: 0,
  endTime: 9_000,
  samples: [2, 2, 2, 3, 4, 5, 6],
  timeDeltas: [1000, 1000, 1000, 1000, 500, 500, 9000],
};

function read(of: "cpu" | "heap", value: unknown) {
  return readProfile({ of, text: typeof value === "string" ? value : JSON.stringify(value), sourceMap: SOURCE_MAP });
}

function refused(of: "cpu" | "heap", value: unknown): string {
  const answer = read(of, value);
  if (!("refused" in answer)) throw new Error("it was read");
  assert.not(/[^\P{C}]/u.test(answer.refused));
  return answer.refused;
}

test("processor: the author's places, and no path of the machine", () => {
  const answer = read("cpu", CPU);
  if ("refused" in answer) throw new Error(answer.refused);
  assert.equal(answer.functions, [
    { name: "hot\\u{1b}[2J", file: "src/spin.ts", line: 4, self: 3, share: 60 },
    { name: "pad", file: "node_modules/left/pad.js", line: 2, self: 1, share: 20 },
    { name: "run", file: "bulkhead:runtime", line: null, self: 0.5, share: 10 },
    { name: "on", file: "node:events", line: 5, self: 0.5, share: 10 },
  ]);
  assert.not.match(answer.profile, /srv|home|"file:|\\u001b/);
  const { nodes, samples } = JSON.parse(answer.profile) as typeof CPU;
  assert.equal(nodes[1]?.callFrame, { ...frame("hot\\u{1b}[2J", "src/spin.ts", 3, 0), scriptId: "2" });
  assert.equal(nodes[1]?.positionTicks, [{ line: 4, ticks: 3 }]);
  assert.equal(samples, CPU.samples);
});

test("processor: what is not a profile is refused", () => {
  const [root, ...rest] = CPU.nodes;
  for (const wrong of [
    "",
    "[",
    "null",
    {},
    { ...CPU, nodes: [] },
    { ...CPU, samples: [99] },
    { ...CPU, samples: ["2"] },
    { ...CPU, nodes: [...CPU.nodes, CPU.nodes[1]] },
    { ...CPU, nodes: [{ ...root, children: [2, 2] }, ...rest] },
    { ...CPU, nodes: [{ ...root, children: [1] }, ...rest] },
    { ...CPU, nodes: [{ ...root, children: [2] }, ...rest] },
    { ...CPU, nodes: [{ ...root, callFrame: frame("a", "b", 1e300) }] },
    { ...CPU, samples: Array(PROFILE.samples + 1).fill(2) },
  ])
    refused("cpu", wrong);
});

test("heap: functions by bytes; a tree may be deep, but not endless", () => {
  let text =
    '{"callFrame":{"functionName":"leaf","url":"","lineNumber":1,"columnNumber":0},"selfSize":64,"id":9,"children":[]}';
  for (let depth = 0; depth < 4000; depth++)
    text = `{"callFrame":${JSON.stringify(frame("(root)", ""))},"selfSize":0,"id":${depth},"children":[${text}]}`;
  const deep = `{"head":${text},"samples":[{"size":64,"nodeId":9,"ordinal":1}]}`;
  const answer = read("heap", deep);
  if ("refused" in answer) assert.match(answer.refused, "call stack");
  else assert.equal(answer.functions, [{ name: "leaf", file: "src/spin.ts", line: 4, self: 64, share: 100 }]);
  const many = { callFrame: frame("x", ""), selfSize: 1, id: 1, children: [] };
  const wide = { ...many, children: Array(PROFILE.nodes).fill(many) };
  assert.match(refused("heap", { head: wide, samples: [] }), `more than ${PROFILE.nodes} nodes`);
  for (const wrong of ["0", {}, { head: null, samples: [] }, { head: { ...many, selfSize: -1 }, samples: [] }])
    refused("heap", wrong);
});

test.run();

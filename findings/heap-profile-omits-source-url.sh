#!/usr/bin/env bash
# Good guess: a sampled heap profile names a function's script as a CPU profile of the same run does: code made by eval or `new Function`
# with a `//# sourceURL=` comment appears under that name in both, as in stack traces.
# Wrong in Node 20, 24 and 26: the CPU profile has the name, and the heap profile an empty `url` for the same function and `scriptId`.
# Users meet it when they map profiles back to sources (template engines, bundlers' eval modes, sandboxes): tools that join by `url`
# find every CPU sample and lose every allocation. Joining by `scriptId`, or by the URLs of `Debugger.scriptParsed`, works for both.
# Node 20.20.0, 24.21.0 and 26.10.0, from the npm package `node`.
set -euo pipefail
command -v npm >/dev/null || { echo "needs npm"; exit 1; }
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > both.mjs <<'JS'
import { Session } from "node:inspector/promises";
const code = "(function hot(n) { const kept = []; for (let i = 0; i < n; i++) kept.push({ i, text: `t${i}` }); return kept; })";
const hot = (0, eval)(`${code}\n//# sourceURL=template.js`);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 200 });
await session.post("Profiler.start");
await session.post("HeapProfiler.startSampling", { samplingInterval: 4096 });
const kept = [];
for (let round = 0; round < 30; round++) kept.push(hot(20_000));
const heap = (await session.post("HeapProfiler.stopSampling")).profile;
const cpu = (await session.post("Profiler.stop")).profile;
const flat = (node) => [node, ...node.children.flatMap(flat)];
const frame = (nodes) => nodes.map(({ callFrame }) => callFrame).find(({ functionName }) => functionName === "hot");
const [ofCpu, ofHeap] = [frame(cpu.nodes), frame(flat(heap.head))];
const same = ofCpu.scriptId === ofHeap.scriptId;
console.log(`cpu "${ofCpu.url}", heap "${ofHeap.url}", ${same ? "the same script" : "different scripts"}, kept ${kept.length}`);
JS
failed=0
for version in 20.20.0 24.21.0 26.10.0; do
  mkdir "$version"
  npm install --prefix "$version" --no-audit --no-fund --silent "node@$version" >/dev/null
  node="$(find "$version/node_modules" -type f -path '*/bin/node' -perm -u+x -print -quit)"
  said="$("$node" both.mjs)"
  echo "Node $("$node" --version): $said"
  [ "$said" = 'cpu "template.js", heap "", the same script, kept 30' ] || failed=1
done
[ "$failed" = 0 ] || { echo "this has changed"; exit 1; }

/** Control messages of a host process, which may be an attacker's: read whole and exact, or not at all. */
import fc from "fast-check";
import { type ControlUp, readControlUp } from "#dist/isolation/control.js";
import { assert, suite } from "../harness.js";

const test = suite("isolation: control messages");

const GOOD: readonly ControlUp[] = [
  { kind: "ready" },
  { kind: "opened", id: 1, route: 7 },
  { kind: "failed", id: 0, why: "" },
  { kind: "ended", route: 2 ** 32 - 1, how: "exit", detail: "x" },
  { kind: "ended", route: 1, how: "memory", detail: "" },
  { kind: "ended", route: 1, how: "killed", detail: "" },
  { kind: "foreign", route: 3 },
  { kind: "cell", route: 3, running: -1, started: 2 ** 31 - 1 },
  { kind: "busy", workers: [] },
  {
    kind: "busy",
    workers: [
      [1, 0],
      [2, 17.5],
    ],
  },
  { kind: "pong", id: Number.MAX_SAFE_INTEGER },
  { kind: "profile", id: 1, part: "x".repeat(24_000) },
  { kind: "profiled", id: 1, why: "" },
];

test("every message an honest one sends is read as it is, and nothing more of it", () => {
  for (const message of GOOD) {
    assert.equal(readControlUp(JSON.stringify(message)), message);
    assert.equal(readControlUp(JSON.stringify({ ...message, more: 1, toString: 2 })), message);
  }
});

const NO_ROUTE = ["0", "-1", "1.5", "4294967296", "1e999", "null", '"1"', "[1]", "true"];
const NO_COUNT = ["-1", "0.5", "9007199254740992", "1e999", "null", '"1"', "{}"];
const NO_WORD = ["2147483648", "-2147483649", "0.5", "null", '"0"', "1e400"];

test("numbers out of place: none is read", () => {
  const texts = [
    ...NO_ROUTE.flatMap((route) => [
      `{"kind":"opened","id":1,"route":${route}}`,
      `{"kind":"ended","route":${route},"how":"exit","detail":""}`,
      `{"kind":"foreign","route":${route}}`,
      `{"kind":"cell","route":${route},"running":0,"started":0}`,
      `{"kind":"busy","workers":[[1,1],[${route},1]]}`,
    ]),
    ...NO_COUNT.flatMap((id) => [
      `{"kind":"opened","id":${id},"route":1}`,
      `{"kind":"failed","id":${id},"why":""}`,
      `{"kind":"pong","id":${id}}`,
      `{"kind":"profile","id":${id},"part":""}`,
      `{"kind":"profiled","id":${id},"why":""}`,
    ]),
    ...NO_WORD.flatMap((word) => [
      `{"kind":"cell","route":1,"running":${word},"started":0}`,
      `{"kind":"cell","route":1,"running":0,"started":${word}}`,
    ]),
    ...["-1", "1e999", "null", '"1"'].map((ms) => `{"kind":"busy","workers":[[1,${ms}]]}`),
  ];
  for (const text of texts) assert.is(readControlUp(text), undefined, text);
});

test("invalid shapes: none is read", () => {
  for (const text of [
    "",
    "null",
    "1",
    '"ready"',
    "[]",
    '["ready"]',
    "{}",
    '{"kind":null}',
    '{"kind":["ready"]}',
    '{"kind":"Ready"}',
    '{"kind":"toString"}',
    '{"kind":"__proto__"}',
    '{"__proto__":{"kind":"ready"}}',
    '{"kind":"open","id":1,"memoryMb":1,"alone":true}',
    '{"kind":"failed","id":1,"why":{"toString":1}}',
    '{"kind":"ended","route":1,"how":"process","detail":""}',
    '{"kind":"ended","route":1,"how":"exit","detail":null}',
    '{"kind":"busy","workers":{"length":0}}',
    '{"kind":"profile","id":1,"part":1}',
    `{"kind":"profile","id":1,"part":"${"x".repeat(24_001)}"}`,
    '{"kind":"profiled","id":1}',
    '{"kind":"busy","workers":[[1,1,1]]}',
    '{"kind":"busy","workers":[[1]]}',
    '{"kind":"busy","workers":[{"0":1,"1":1,"length":2}]}',
    '{"kind":"ready"',
    '{"kind":"ready"}{"kind":"ready"}',
  ])
    assert.is(readControlUp(text), undefined, text);
});

test("size: a message beyond 64 Ki characters is invalid, long texts are cut, deep nesting costs nothing", () => {
  assert.is(readControlUp(`{"kind":"ready","x":"${"y".repeat(65_536)}"}`), undefined);
  const failed = readControlUp(JSON.stringify({ kind: "failed", id: 1, why: "w".repeat(60_000) }));
  assert.is(failed?.kind === "failed" && failed.why.length, 1000);
  const ended = readControlUp(JSON.stringify({ kind: "ended", route: 1, how: "exit", detail: "d".repeat(60_000) }));
  assert.is(ended?.kind === "ended" && ended.detail.length, 1000);
  assert.is(readControlUp("[".repeat(65_000)), undefined);
  assert.is(readControlUp(`{"kind":"busy","workers":${"[".repeat(30_000)}${"]".repeat(30_000)}}`), undefined);
});

test("anything at all: one of the messages, or nothing; never a throw", () => {
  const field = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.integer(), fc.constantFrom("exit", "memory", "process"));
  const kinds = fc.oneof(fc.constantFrom(...GOOD.map(({ kind }) => kind)), fc.jsonValue({ maxDepth: 1 }));
  const names = ["id", "route", "why", "how", "detail", "running", "started", "workers"] as const;
  const nearly = fc
    .record({ kind: kinds, ...Object.fromEntries(names.map((name) => [name, field])) }, { requiredKeys: ["kind"] })
    .map((value) => JSON.stringify(value));
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(nearly, fc.json(), fc.string()), (text) => {
      const message = readControlUp(text);
      if (message === undefined) return;
      read++;
      assert.ok(GOOD.some(({ kind }) => kind === message.kind));
      const again = readControlUp(JSON.stringify(message));
      assert.equal(again, message);
    }),
    { numRuns: 5000 },
  );
  assert.ok(read > 50, `only ${read} of the inputs were messages`);
});

test.run();

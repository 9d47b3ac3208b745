/** The checker itself: it accepts histories that are linearizable, and finds what is wrong with others. */
import { assert, suite } from "../../harness.js";
import { type Operation, violation } from "./linearizable.js";

const test = suite("permissions/cluster/linearizable");
const NEVER = Number.POSITIVE_INFINITY;

const get = (call: number, reply: number, told: string | null, revision?: number): Operation => ({
  call,
  reply,
  told,
  revision,
});
const create = (call: number, reply: number, writes: string, told?: boolean, revision?: number): Operation => ({
  ...{ call, reply, writes, told, revision },
  expects: null,
});
const set = (
  call: number,
  reply: number,
  expects: string,
  writes: string | null,
  told?: boolean,
  revision?: number,
): Operation => ({
  ...{ call, reply, expects, writes, told, revision },
});

const SOUND: Readonly<Record<string, readonly Operation[]>> = {
  nothing: [],
  "one after another": [create(0, 1, "a", true, 2), get(2, 3, "a", 2), set(4, 5, "a", "b", true, 3), get(6, 7, "b", 3)],
  "a read beside a write sees either": [
    create(0, 1, "a", true),
    set(2, 9, "a", "b", true),
    get(3, 4, "a"),
    get(5, 6, "b"),
  ],
  "two that create: one is told no": [create(0, 5, "a", true), create(1, 4, "b", false), get(6, 7, "a")],
  "an unknown write that happened": [create(0, 1, "a", true), set(2, NEVER, "a", "b"), get(8, 9, "b")],
  "an unknown write that happened late": [
    create(0, 1, "a", true),
    set(2, NEVER, "a", "b"),
    get(3, 4, "a"),
    get(8, 9, "b"),
  ],
  "an unknown write that never happened": [create(0, 1, "a", true), set(2, NEVER, "a", "b"), get(8, 9, "a")],
  "deleted, and created again": [
    create(0, 1, "a", true, 2),
    set(2, 3, "a", null, true, 3),
    create(4, 5, "b", true, 4),
    get(6, 7, "b", 4),
  ],
};

const BROKEN: Readonly<Record<string, readonly Operation[]>> = {
  "an acknowledged write is lost": [create(0, 1, "a", true), get(2, 3, null)],
  "a stale read after a write was acknowledged": [create(0, 1, "a", true), set(2, 3, "a", "b", true), get(4, 5, "a")],
  "a read that goes back": [create(0, 1, "a", true), set(2, 20, "a", "b", true), get(3, 4, "b"), get(5, 6, "a")],
  "two that create, both told yes": [create(0, 5, "a", true), create(1, 4, "b", true)],
  "a lost update: two compare with one value": [
    create(0, 1, "a", true),
    set(2, 6, "a", "b", true),
    set(3, 5, "a", "c", true),
  ],
  "a value that nobody wrote": [get(0, 1, "x")],
  "a write that failed, and is there": [create(0, 1, "a", true), create(2, 3, "b", false), get(4, 5, "b")],
  "an unknown write that is seen, then not": [
    create(0, 1, "a", true),
    set(2, NEVER, "a", "b"),
    get(3, 4, "b"),
    get(5, 6, "a"),
  ],
  "an unknown write that happens twice": [
    ...[create(0, 1, "a", true), set(2, NEVER, "a", "b"), get(3, 4, "b"), set(5, 6, "b", "c", true), get(7, 8, "b")],
  ],
  "an unknown write before it was called": [create(0, 1, "a", true), get(2, 3, "b"), set(4, NEVER, "a", "b")],
  "told no, though nobody else wrote": [create(0, 1, "a", true), set(2, 3, "a", "b", false)],
  "a key told to exist that does not": [create(0, 1, "a", false)],
  "revisions that go back": [create(0, 1, "a", true, 5), set(2, 3, "a", "b", true, 4)],
  "one value with two revisions": [create(0, 1, "a", true, 2), get(2, 3, "a", 3)],
};

for (const [what, history] of Object.entries(SOUND))
  test(`linearizable: ${what}`, () => assert.is(violation(history), undefined));

for (const [what, history] of Object.entries(BROKEN))
  test(`not linearizable: ${what}`, () => assert.type(violation(history), "string"));

test("sixty operations, twelve at a time, in any order", () => {
  const history: Operation[] = [create(0, 1, "0", true, 1)];
  for (let n = 1; n < 60; n++) history.push(set(n, n + 12, String(n - 1), String(n), true, n + 1));
  assert.is(violation(history.toReversed()), undefined);
  assert.type(violation([...history, get(100, 101, "3")]), "string");
});

test.run();

/** One run of `ip` for many units: what stops it, what is taken back, what is run again; and what can never be a line of it. */
import type { Change, Unit } from "#dist/permissions/netlink/backend.js";
import { lineOf } from "#dist/permissions/netlink/kernel/lines.js";
import { type Line, programAfter, programOf } from "#dist/permissions/netlink/kernel/program.js";
import { assert, suite } from "../../harness.js";
import { bench, onBoth } from "./backends.js";

const test = suite("permissions/netlink/batch");

const unit = (...changes: Change[]): Unit => changes.map((change) => ({ change }));
const bridge = (name: string): Change => ({ op: "add", link: { kind: "bridge", name } });
const remove = (name: string): Change => ({ op: "delete", name });
const texts = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ text }) => text.replace(/group \d+/, "group G"));

test("a unit that fails is taken back, last step first, and left out; the rest is run again", () => {
  const units: Unit[] = [
    unit(bridge("bh-a")),
    [
      { change: bridge("bh-b"), undo: remove("bh-b") },
      { change: { op: "mtu", name: "bh-b", mtu: 1400 }, undo: { op: "mtu", name: "bh-b", mtu: 1500 } },
      { change: { op: "up", name: "bh-b" } },
      { change: { op: "look", name: "bh-b" } },
    ],
    unit(bridge("bh-c")),
  ];
  const lines = programOf(units);
  assert.equal(texts(programAfter(lines, 3, units, [])), [
    "link set dev bh-b mtu 1500",
    "link delete dev bh-b",
    "link add name bh-c type bridge",
  ]);
  const undoing = programAfter(lines, 3, units, []);
  assert.equal(texts(programAfter(undoing, 0, units, [])), ["link delete dev bh-b", "link add name bh-c type bridge"]);
});

test("links are deleted as a group; one by one where that fails", () => {
  const units: Unit[] = [unit(remove("bh-a")), unit(bridge("bh-b")), unit(remove("bh-c")), unit(remove("bh-d"))];
  const lines = programOf(units);
  assert.equal(texts(lines), [
    "link add name bh-b type bridge",
    "link set dev bh-a group G",
    "link set dev bh-c group G",
    "link set dev bh-d group G",
    "link delete group G",
  ]);
  const failures = [undefined, undefined, { words: "Cannot find device" }, undefined];
  const rest = programAfter(lines, 2, units, failures);
  assert.equal(texts(rest), ["link set dev bh-d group G", "link delete group G"]);
  assert.equal(texts(programAfter(rest, 1, units, failures)), ["link delete dev bh-a", "link delete dev bh-d"]);
  assert.equal(texts(programOf([unit(remove("bh-a"))])), ["link delete dev bh-a"]);
});

test("no word of a line is more than a word", () => {
  for (const odd of ["-batch", "a b", "a\nb", "a'b", 'a"b', "#a", "a\\", "", "a;b", "a\u0000", "$(a)", "é"]) {
    for (const change of [
      bridge(odd),
      remove(odd),
      { op: "rename", name: "bh-a", to: odd },
      { op: "alias", name: "bh-a", alias: odd },
    ] as Change[]) {
      assert.throws(() => lineOf(change), /cannot be a word/, JSON.stringify(change));
    }
  }
  assert.is(lineOf({ op: "addAddress", name: "bh-a", address: "::1/128" }), "address add ::1/128 dev bh-a nodad");
});

onBoth(test, "failures of one run are each their unit's, and the others are done", async (t, kind) => {
  const { backend } = await bench(t, kind);
  await backend.apply(["bh-a", "bh-b", "bh-c"].map((name) => unit(bridge(name))));
  const { failures, seen } = await backend.apply([
    unit(remove("bh-a")),
    [
      { change: bridge("bh-d"), undo: remove("bh-d") },
      { change: { op: "up", name: "bh-d" } },
      { change: { op: "master", name: "bh-d", master: "bh-c" } },
    ],
    unit(remove("bh-none")),
    unit(bridge("bh-b")),
    unit(bridge("bh-e"), { op: "look", name: "bh-e" }),
    unit(remove("bh-b")),
  ]);
  assert.equal(
    failures.map((failure) => failure?.words.replace(/"bh-none"/, "…")),
    [
      undefined,
      "Error: Can not enslave a bridge to a bridge.",
      "Cannot find device …",
      "RTNETLINK answers: File exists",
      undefined,
      undefined,
    ],
  );
  assert.equal([...seen.keys()], ["bh-e"]);
  assert.equal([...(await backend.look()).links.keys()].sort(), ["bh-c", "bh-e", "lo"]);
});

test.run();

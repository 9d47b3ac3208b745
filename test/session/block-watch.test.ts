/** Slow or blocked: with a cell and frames of the test's own, on the real clock, in its smallest steps. */

import { monotonicNow } from "#dist/common/clock.js";
import { BlockWatch } from "#dist/session/block-watch.js";
import { SESSION } from "#dist/session/limits.js";
import { assert, suite, until } from "../harness.js";

const test = suite("host: blocked or slow");

interface Rig {
  readonly watch: BlockWatch;
  readonly kills: Array<{ reason: string; at: number }>;
  readonly calls: Map<number, { frame: number; expires: number }>;
  cell: number;
  /** Milliseconds since the rig was made. */
  since(): number;
}

function rig(t: { cleanup(undo: () => unknown): void }, defaultDeadline = 5000): Rig {
  const calls = new Map<number, { frame: number; expires: number }>();
  const kills: Array<{ reason: string; at: number }> = [];
  const began = monotonicNow();
  const made = { cell: 0 };
  const watch: BlockWatch = new BlockWatch({
    cell: { running: () => made.cell, started: () => 0 },
    defaultDeadline,
    inFlight: (id) => calls.get(id),
    allInFlight: () => calls.values(),
    kill(reason) {
      kills.push({ reason, at: monotonicNow() - began });
      watch.stop();
    },
  });
  t.cleanup(() => watch.stop());
  return Object.assign(made, { watch, kills, calls, since: () => monotonicNow() - began });
}

/** Until `ms` after the rig was made. */
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const killed = (one: Rig): Promise<unknown> => until(() => one.kills.length > 0, "a kill");

test("outside any call a block is ended after its budget", async (t) => {
  const one = rig(t);
  one.watch.sent(1);
  assert.is(one.watch.idle, false);
  await killed(one);
  const [kill] = one.kills;
  assert.match(kill?.reason ?? "", "outside any driver method");
  assert.ok((kill?.at ?? 0) >= SESSION.blockMs - 1, `${kill?.at}`);
});

test("a frame that acknowledges ends the watch; one that does not, does not", async (t) => {
  const one = rig(t);
  one.watch.sent(1);
  one.watch.received(1);
  assert.is(one.watch.idle, true);
  await pause(SESSION.blockMs + 100);
  assert.equal(one.kills, []);
  one.watch.sent(2);
  const chatter = setInterval(() => one.watch.received(1), 20);
  t.cleanup(() => clearInterval(chatter));
  await killed(one);
});

test("a worker that acknowledges one frame after the other is slow, not blocked", async (t) => {
  const one = rig(t);
  for (let frame = 1; frame <= 8; frame++) {
    one.watch.sent(frame);
    await pause(200);
    one.watch.received(frame - 1);
  }
  assert.equal(one.kills, []);
});

test("a running call has until its own deadline, beyond the budget", async (t) => {
  const one = rig(t);
  one.calls.set(4, { frame: 1, expires: monotonicNow() + SESSION.blockMs + 400 });
  one.cell = 4;
  one.watch.sent(1);
  await killed(one);
  const [kill] = one.kills;
  assert.match(kill?.reason ?? "", "past its deadline");
  assert.ok((kill?.at ?? 0) >= SESSION.blockMs + 399, `${kill?.at}`);
});

test("a call sent later extends nothing, whatever the cell says", async (t) => {
  const one = rig(t);
  one.calls.set(1, { frame: 1, expires: monotonicNow() + 150 });
  one.calls.set(2, { frame: 2, expires: monotonicNow() + 60_000 });
  one.watch.sent(1);
  // Long enough that the worker would have acknowledged, did its loop turn.
  await pause(SESSION.blockMs / 4 + 20);
  one.watch.sent(2);
  one.cell = 2;
  one.watch.expired();
  await killed(one);
  assert.ok((one.kills[0]?.at ?? 0) < SESSION.blockMs, `${one.kills[0]?.at}`);
});

test("a cell that names no call in flight counts for nothing", async (t) => {
  for (const cell of [99, -2, -2_147_483_648, 2_147_483_647]) {
    const one = rig(t);
    one.cell = cell;
    one.watch.sent(1);
    assert.is(one.watch.expired(), false);
    await killed(one);
    assert.match(one.kills[0]?.reason ?? "", "outside any driver method");
  }
});

test("evaluation has until its own deadline, and not a moment by the cell alone", async (t) => {
  const one = rig(t);
  one.cell = -1;
  one.watch.evaluationEnds = monotonicNow() + SESSION.blockMs + 300;
  one.watch.sent(1);
  await killed(one);
  assert.match(one.kills[0]?.reason ?? "", "evaluated");
  assert.ok((one.kills[0]?.at ?? 0) >= SESSION.blockMs + 299);
  const late = rig(t);
  late.cell = -1;
  late.watch.sent(1);
  await killed(late);
  assert.match(late.kills[0]?.reason ?? "", "outside any driver method");
});

test("a plugin that blocked again and again is judged by the default deadline", async (t) => {
  const one = rig(t, 200);
  one.watch.strict = true;
  one.calls.set(1, { frame: 1, expires: monotonicNow() + 60_000 });
  one.cell = 1;
  one.watch.sent(1);
  await killed(one);
  assert.ok((one.kills[0]?.at ?? 0) >= 199);
});

test("at a deadline: idle or lately heard of is slow at first, long unheard is blocked", async (t) => {
  const one = rig(t);
  assert.is(one.watch.expired(), false);
  one.watch.sent(1);
  assert.is(one.watch.expired(), false);
  await pause(SESSION.probeMs + 20);
  assert.is(one.watch.expired(), true);
  assert.equal(one.kills, []);
  one.watch.received(1);
  assert.is(one.watch.expired(), false);
});

test("stopped, it ends nobody", async (t) => {
  const one = rig(t);
  one.watch.sent(1);
  one.watch.stop();
  await pause(SESSION.blockMs + 100);
  assert.equal(one.kills, []);
});

test.run();

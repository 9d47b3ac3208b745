/** Deadlines of one timeout share a timer; each passes at its own time, in whichever order they were added. */
import { monotonicNow } from "#dist/common/clock.js";
import { type Deadline, deadline } from "#dist/host/calls/deadlines.js";
import { assert, suite } from "../harness.js";

const test = suite("host/deadline lists");
/** A timeout of no other call. */
const MS = 61_234;

/** Adds deadlines, in this order, that many milliseconds from now; `passed` resolves once `count` have passed, with their times. */
function added(
  after: readonly number[],
  count: number,
): { readonly all: readonly Deadline[]; readonly passed: Promise<readonly number[]> } {
  const now = monotonicNow();
  const late: number[] = [];
  let all: readonly Deadline[] = [];
  const passed = new Promise<readonly number[]>((resolve) => {
    all = after.map((ms) =>
      deadline(now + ms, MS, {
        late() {
          assert.ok(monotonicNow() >= now + ms, `${ms}: too early`);
          if (late.push(ms) === count) resolve(late);
        },
      }),
    );
  });
  return { all, passed };
}

test("a call with less time left than those before it does not wait for them", async () => {
  const { all, passed } = added([60_000, 90, 30, 60, 60], 4);
  assert.equal(await passed, [30, 60, 60, 90]);
  for (const one of all) one.met();
});

test("a deadline that is met does not pass, and may be met again", async () => {
  const { all, passed } = added([20, 40, 10, 30], 2);
  for (const at of [0, 3, 0]) all[at]?.met();
  assert.equal(await passed, [10, 40]);
});

test("a deadline that is added when another passes does not delay those after it", async () => {
  const { passed, all } = added([500, 60_000], 1);
  const rest = new Promise<void>((resolve) => {
    deadline(monotonicNow() + 30, MS, {
      late() {
        const far = deadline(monotonicNow() + 60_000, MS, { late() {} });
        void passed.then(() => {
          far.met();
          resolve();
        });
      },
    });
  });
  assert.equal(await passed, [500]);
  await rest;
  for (const one of all) one.met();
});

test("a list that was empty has its timer again", async () => {
  const { all } = added([60_000], 1);
  all[0]?.met();
  assert.equal(await added([20], 1).passed, [20]);
});

test.run();

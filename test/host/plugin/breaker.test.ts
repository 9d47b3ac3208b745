import { RESTARTS } from "#dist/common/limits.js";
import { HOST } from "#dist/host/limits.js";
import { Breaker } from "#dist/host/plugin/breaker.js";
import { assert, suite } from "../../harness.js";

const test = suite("host: the breaker");

function breaker(): { one: Breaker; pass(ms: number): void } {
  let now = 1000;
  return {
    one: new Breaker(() => now),
    pass: (ms) => {
      now += ms;
    },
  };
}

test("it opens at the fifth crash within the window, not before", () => {
  const { one } = breaker();
  for (let i = 1; i <= HOST.breakerCrashes; i++) {
    assert.is(one.open, false);
    one.crash(false);
  }
  assert.is(one.open, true);
});

test("crashes older than the window are forgotten", () => {
  const { one, pass } = breaker();
  for (let i = 0; i < HOST.breakerCrashes - 1; i++) one.crash(false);
  pass(RESTARTS.windowMs);
  one.crash(false);
  assert.is(one.open, false);
  assert.is(one.pause, 0);
});

test("there is no pause after the first crash, then it doubles up to its bound", () => {
  const { one } = breaker();
  assert.is(one.pause, 0);
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    one.crash(false);
    pauses.push(one.pause);
  }
  assert.equal(pauses.slice(0, 5), [0, 50, 100, 200, 400]);
  assert.is(pauses.at(-1), RESTARTS.maxMs);
  assert.equal(
    [...pauses].sort((a, b) => a - b),
    pauses,
  );
});

test("blocks within the window make it strict; other crashes do not", () => {
  const { one, pass } = breaker();
  for (let i = 0; i < HOST.repeatBlocks - 1; i++) one.crash(true);
  one.crash(false);
  assert.is(one.strict, false);
  one.crash(true);
  assert.is(one.strict, true);
  pass(RESTARTS.windowMs);
  one.crash(false);
  assert.is(one.strict, false);
});

test("half open: one more crash opens it again, a whole window from now", () => {
  const { one, pass } = breaker();
  for (let i = 0; i < HOST.breakerCrashes + 3; i++) one.crash(false);
  pass(RESTARTS.openMs);
  one.halfOpen();
  assert.is(one.open, false);
  pass(RESTARTS.windowMs - 1);
  one.crash(false);
  assert.is(one.open, true);
});

test("forgiven, it is tried at once again, and its record stays for a window; forgotten, it has none", () => {
  const { one, pass } = breaker();
  for (let i = 0; i < 10; i++) one.crash(true);
  one.resetCount();
  assert.equal([one.open, one.strict, one.pause, one.recentCrashes], [false, false, 0, 10]);
  one.crash(false);
  assert.equal([one.pause, one.recentCrashes], [0, 11]);
  pass(RESTARTS.windowMs - 1);
  assert.is(one.recentCrashes, 11);
  pass(1);
  assert.is(one.recentCrashes, 0);
  one.crash(true);
  one.resetHistory();
  assert.equal([one.open, one.strict, one.pause, one.recentCrashes], [false, false, 0, 0]);
});

test.run();

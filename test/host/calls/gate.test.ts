import { DriverError } from "#dist/driverapi/errors.js";
import { Gate } from "#dist/host/calls/gate.js";
import { assert, suite } from "../../harness.js";

const test = suite("host: the gate before a driver");
const refusal = (): DriverError => new DriverError("ERR_PLUGIN_UNAVAILABLE", "no");

function waiter(gate: Gate<number>): { values: number[]; errors: DriverError[]; cancel(): void } {
  const values: number[] = [];
  const errors: DriverError[] = [];
  const { cancel } = gate.wait(
    (value) => values.push(value),
    (error) => errors.push(error),
  );
  return { values, errors, cancel };
}

test("closed at first: it must be waited for, and opening wakes all", () => {
  const gate = new Gate<number>();
  assert.is(gate.current, undefined);
  const waiters = [waiter(gate), waiter(gate)];
  assert.is(gate.waiting, 2);
  gate.open(7);
  assert.is(gate.current, 7);
  assert.is(gate.waiting, 0);
  for (const one of waiters) assert.equal([one.values, one.errors], [[7], []]);
});

test("each is woken once: a second opening is for those who came since", () => {
  const gate = new Gate<number>();
  const first = waiter(gate);
  gate.open(1);
  gate.close();
  const second = waiter(gate);
  gate.open(2);
  assert.equal([first.values, second.values], [[1], [2]]);
  assert.is(gate.current, 2);
});

test("refusing rejects all who wait, and throws at once", () => {
  const gate = new Gate<number>();
  const one = waiter(gate);
  gate.refuse(refusal);
  assert.is(one.errors[0]?.code, "ERR_PLUGIN_UNAVAILABLE");
  assert.is(gate.waiting, 0);
  assert.throws(() => gate.current, /no/);
  gate.open(3);
  assert.is(gate.current, 3);
  assert.equal(one.values, []);
  gate.refuse(refusal);
  gate.close();
  assert.is(gate.current, undefined);
});

test("a caller that cancels hears nothing", () => {
  const gate = new Gate<number>();
  const [gone, stays] = [waiter(gate), waiter(gate)];
  gone.cancel();
  gone.cancel();
  assert.is(gate.waiting, 1);
  gate.open(1);
  assert.equal([gone.values, stays.values], [[], [1]]);
  const refused = waiter(gate);
  refused.cancel();
  gate.refuse(refusal);
  assert.equal(refused.errors, []);
});

test.run();

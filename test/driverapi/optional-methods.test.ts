/** What a worker says of its driver's optional methods is all of them or none; anything else is neither. */
import { OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/constants.js";
import { hasOptionalMethods } from "#dist/driverapi/optional-methods.js";
import { assert, suite } from "../harness.js";

const test = suite("driverapi: optional methods");
const [program, revoke] = OPTIONAL_DRIVER_METHODS;

test("all of them, in any order, or none", () => {
  assert.is(hasOptionalMethods([program, revoke]), true);
  assert.is(hasOptionalMethods([revoke, program]), true);
  assert.is(hasOptionalMethods([]), false);
});

test("half of them, others, repetitions and what is not a list are refused", () => {
  const hostile = [
    [program],
    [revoke, revoke],
    [program, revoke, "leave"],
    ["join", "leave"],
    [1, 2],
    [[program], revoke],
  ];
  for (const names of [...hostile, undefined, null, true, program, { length: 0 }, { 0: program, 1: revoke, length: 2 }])
    assert.is(hasOptionalMethods(names), undefined, JSON.stringify(names));
});

test.run();

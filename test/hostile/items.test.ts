/** Every attack in the list has a case. */
import { assert, suite } from "../harness.js";
import { ALL_CASES } from "./cases/all.js";
import { items as protocol } from "./cases/class-g.js";

const test = suite("hostile: the list of attacks");
const ITEMS = 56;

test("each of the 56 attacks has a case", () => {
  const covered = new Set([...ALL_CASES.map((one) => one.item), ...protocol]);
  const missing = Array.from({ length: ITEMS }, (_, i) => i + 1).filter((item) => !covered.has(item));
  assert.equal(missing, []);
});

test("each case has a title of its own, by which it is run alone", () => {
  const titles = ALL_CASES.map((one) => one.title);
  assert.equal(titles.length, new Set(titles).size);
});

test.run();

/** Every attack in the list has cases under every isolation, and SECURITY.md says what came of them. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert, suite } from "../harness.js";
import { ISOLATIONS } from "./case.js";
import { ALL_CASES } from "./cases/all.js";
import { ITEMS } from "./items.js";
import { readOutcomes, worstOf } from "./outcomes.js";
import { outcomeTable, withTable } from "./table.js";

const test = suite("hostile: the list of attacks");
const PAGE = readFileSync(fileURLToPath(new URL("../../../SECURITY.md", import.meta.url)), "utf8");

test("each of the 56 attacks has an outcome under each isolation", () => {
  const outcomes = readOutcomes();
  assert.is(ITEMS.length, 56);
  const missing = ITEMS.flatMap((_, i) =>
    ISOLATIONS.filter((isolation) => worstOf(outcomes, i + 1, isolation) === undefined).map((one) => `${i + 1} ${one}`),
  );
  assert.equal(missing, []);
});

test("every case has an outcome under its name", () => {
  const known = readOutcomes();
  assert.equal(
    ALL_CASES.map(({ item, title }) => `${item} ${title}`).filter((one) => !Object.hasOwn(known, one)),
    [],
  );
});

test("behind the wall nothing is left unstopped", () => {
  const open = Object.entries(readOutcomes()).filter(
    ([, row]) => row.process === "not stopped (named)" || row.dedicated === "not stopped (named)",
  );
  assert.equal(open, []);
});

test("SECURITY.md holds the table of these outcomes: npm run hostile writes it", () => {
  assert.is(withTable(PAGE, readOutcomes()), PAGE);
  assert.not.match(outcomeTable(readOutcomes()), /not tried/);
});

test("each case has a title of its own, by which it is run alone", () => {
  const titles = ALL_CASES.map((one) => one.title);
  assert.is(titles.length, new Set(titles).size);
});

test.run();

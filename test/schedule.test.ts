/** The runner's schedule: no file is lost or run twice, and what it says of a file is said of one that exists. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, suite } from "./harness.js";
import { isFast, NAMED, schedule } from "./schedule.js";

const test = suite("the runner's schedule");
const HERE = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(HERE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.js"));

test("every file is run once, an attack once per isolation", () => {
  const { together, beside, alone } = schedule(files, undefined);
  const run = [...together, ...beside, ...alone].map(({ file, isolation = "" }) => `${file} ${isolation}`);
  const wanted = files.flatMap((file) =>
    file.startsWith("hostile/class-")
      ? ["thread", "process", "dedicated"].map((isolation) => `${file} ${isolation}`)
      : [`${file} `],
  );
  assert.equal(run.sort(), wanted.sort());
  assert.equal(
    beside.map(({ file, isolation }) => `${file.split(/[-.]/)[0]} ${isolation ?? ""}`.trim()).slice(0, 5),
    [...Array.from({ length: 4 }, () => "docker/engine"), "hostile/class process"],
    "the engines, then the attacks behind the walls",
  );
});

test("the isolations that are named are run, and a wrong name is refused", () => {
  const { together, beside } = schedule(["hostile/class-a.test.js"], "process,thread");
  assert.equal(
    [...beside, ...together].map(({ isolation }) => isolation),
    ["process", "thread"],
  );
  assert.throws(() => schedule(files, "threads"), /"threads"/);
});

test("each part of a path names a file", () => {
  assert.equal(
    NAMED.filter((part) => !files.some((file) => file.includes(part))),
    [],
  );
  assert.ok(files.some(isFast));
});

test.run();

/** The runner's schedule: no file is lost or run twice, and what it says of a file is said of one that exists. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, suite } from "./harness.js";
import { isFast, NAMED, schedule } from "./schedule.js";

const test = suite("the runner's schedule");
const HERE = dirname(fileURLToPath(import.meta.url));
const files = readdirSync(HERE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.js"));

test("every file is run once, an attack once per isolation; dedicated only in the long run, or for attacks on memory", () => {
  for (const long of [true, false]) {
    const { together, walled, engines, timed, alone } = schedule(files, undefined, long);
    const run = [...together, ...walled, ...engines, ...timed, ...alone].map(
      ({ file, isolation = "" }) => `${file} ${isolation}`,
    );
    const isolations = (file: string): string[] =>
      file.startsWith("hostile/class-g-streams")
        ? ["process"]
        : ["thread", "process", ...(long || file.startsWith("hostile/class-e") ? ["dedicated"] : [])];
    const wanted = files.flatMap((file) =>
      file.startsWith("hostile/class-") ? isolations(file).map((isolation) => `${file} ${isolation}`) : [`${file} `],
    );
    assert.equal(run.sort(), wanted.sort());
  }
  const { walled, engines } = schedule(files, undefined, false);
  assert.is(engines.length, 10);
  assert.ok(
    engines.every(({ file }) =>
      /^docker\/engine-|^podman\/podman-|^newcomer\/every-platform|^cni\/(containerd|podman)/.test(file),
    ),
  );
  assert.ok(walled.every(({ file, isolation }) => file.startsWith("hostile/class-") && isolation !== "thread"));
});

test("the isolations that are named are run, and a wrong name is refused", () => {
  const { together, walled } = schedule(["hostile/class-a.test.js"], "process,thread", true);
  assert.equal(
    [...walled, ...together].map(({ isolation }) => isolation),
    ["process", "thread"],
  );
  assert.throws(() => schedule(files, "threads", false), /"threads"/);
});

test("each part of a path names a file", () => {
  assert.equal(
    NAMED.filter((part) => !files.some((file) => file.includes(part))),
    [],
  );
  assert.ok(files.some(isFast));
});

test.run();

/** Changes to one policy at the same time: none is lost, and one that cannot have its turn says why. */
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "#dist/driverapi/json.js";
import { changePolicyFile } from "#dist/policy/policy-change.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("policy/policy-change");

/** Adds a plugin's entry to the policy at `path`. */
function add(path: string, id: string): Promise<string> {
  return changePolicyFile(path, { absent: "empty" }, ({ raw }) => ({
    raw: { ...raw, plugins: { ...((raw.plugins ?? {}) as JsonObject), [id]: {} } },
    result: id,
  }));
}

async function ids(path: string): Promise<readonly string[]> {
  const { plugins } = JSON.parse(await readFile(path, "utf8")) as { plugins: object };
  return Object.keys(plugins).sort();
}

test("twelve changes at once, by the file's name and by a link's: all are there, and nothing is left beside it", async (t) => {
  const folder = await t.folder();
  const path = join(folder, "p.json");
  const link = join(folder, "link.json");
  await writeFile(path, "{}");
  await symlink("p.json", link);
  const names = Array.from({ length: 12 }, (_, n) => `p${String(n).padStart(2, "0")}`);
  const results = await Promise.all(names.map((id, n) => add(n % 2 === 0 ? path : link, id)));
  assert.equal(results, names);
  assert.equal(await ids(path), names);
  assert.equal((await readdir(folder)).sort(), ["link.json", "p.json"]);
});

test("a change that throws writes nothing, and holds nobody up", async (t) => {
  const path = join(await t.folder(), "p.json");
  const failing = changePolicyFile(path, { absent: "empty" }, () => {
    throw new Error("mine");
  });
  assert.is((await rejection(failing)).message, "mine");
  assert.is(
    (await rejection(changePolicyFile(path, {}, ({ raw }) => ({ raw, result: 0 })))).code,
    "ERR_POLICY_INVALID",
  );
  await add(path, "a");
  assert.equal(await ids(path), ["a"]);
});

test("locked for good: ERR_POLICY_LOCKED names the process and the file to remove; nothing is written", async (t) => {
  const folder = await t.folder();
  const path = join(folder, "p.json");
  await writeFile(path, "{}");
  const lock = join(folder, ".p.json.lock");
  await writeFile(lock, "4321\n");
  const error = await rejection(add(path, "a"));
  assert.is(error.code, "ERR_POLICY_LOCKED");
  assert.is(
    error.message,
    `${path}: locked by another bulkhead command (process 4321) for over 5 s; if that no longer runs, remove ${lock}`,
  );
  assert.is(await readFile(path, "utf8"), "{}");
  assert.is(await readFile(lock, "utf8"), "4321\n");
});

test("a folder that cannot be written in: ERR_POLICY_INVALID", async (t) => {
  const error = await rejection(add(join(await t.folder(), "none", "p.json"), "a"));
  assert.is(error.code, "ERR_POLICY_INVALID");
  assert.match(error.message, "cannot be written");
});

test.run();

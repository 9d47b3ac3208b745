/** The policy on disk: read strictly, written whole, its keys left in the operator's order. */
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { grantCommand, missingText } from "#dist/policy/grant-command.js";
import { readPolicyFile, writePolicyFile } from "#dist/policy/policy-file.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("policy/policy-file");

test("what is read is checked, and raw in the operator's order", async (t) => {
  const path = join(await t.folder(), "p.json");
  await writeFile(path, `{"plugins": {"b": {"sha256": "${"A".repeat(64)}", "grant": {}}, "a": {}}, "defaults": {}}`);
  const read = await readPolicyFile(path);
  assert.is(read.exists, true);
  assert.equal(Object.keys(read.raw), ["plugins", "defaults"]);
  assert.equal(Object.keys(read.policy.plugins ?? {}), ["b", "a"]);
  await writePolicyFile(path, read.raw);
  const text = await readFile(path, "utf8");
  assert.ok(text.startsWith('{\n  "plugins": {\n    "b": {\n      "sha256"'), text);
  assert.ok(text.endsWith("}\n"));
});

test("missing, huge, a folder, or wrong: ERR_POLICY_INVALID naming the file; absent reads as empty only when asked", async (t) => {
  const folder = await t.folder();
  await mkdir(join(folder, "folder"));
  await writeFile(join(folder, "huge"), "x".repeat((1 << 20) + 1));
  await writeFile(join(folder, "wrong"), '{"plugin": 1}');
  for (const name of ["none", "folder", "huge", "wrong"]) {
    const error = await rejection(readPolicyFile(join(folder, name)));
    assert.is(error.code, "ERR_POLICY_INVALID");
    assert.ok(error.message.startsWith(join(folder, name)), error.message);
  }
  const empty = await readPolicyFile(join(folder, "none"), { absent: "empty" });
  assert.equal([empty.exists, empty.policy, empty.raw], [false, {}, {}]);
  assert.is((await rejection(readPolicyFile(join(folder, "wrong"), { absent: "empty" }))).code, "ERR_POLICY_INVALID");
});

test("writing keeps the mode, writes through a link, and leaves nothing beside the file", async (t) => {
  const folder = await t.folder();
  await mkdir(join(folder, "real"));
  const real = join(folder, "real", "p.json");
  await writeFile(real, "{}");
  await chmod(real, 0o666);
  const link = join(folder, "p.json");
  await symlink(real, link);
  await writePolicyFile(link, { plugins: { a: {} } });
  assert.ok((await lstat(link)).isSymbolicLink());
  assert.is((await stat(real)).mode & 0o777, 0o666);
  assert.equal(JSON.parse(await readFile(real, "utf8")), { plugins: { a: {} } });
  assert.equal((await readdir(folder)).sort(), ["p.json", "real"]);
  assert.equal(await readdir(join(folder, "real")), ["p.json"]);
});

test("a policy that would not be read back is not written", async (t) => {
  const path = join(await t.folder(), "p.json");
  await writeFile(path, "{}\n");
  assert.is((await rejection(writePolicyFile(path, { nonsense: 1 }))).code, "ERR_POLICY_INVALID");
  const tooMuch = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, "x".repeat(60_000)]));
  assert.is(
    (await rejection(writePolicyFile(path, { plugins: { a: { options: { a: tooMuch } } } }))).code,
    "ERR_POLICY_INVALID",
  );
  assert.is(await readFile(path, "utf8"), "{}\n");
  assert.is((await rejection(writePolicyFile(join(path, "below.json"), {}))).code, "ERR_POLICY_INVALID");
});

test("the grant command is a line for a shell", () => {
  assert.is(grantCommand("bridge"), "bulkhead grant bridge --policy bulkhead.config.json");
  assert.is(
    grantCommand("bridge", { policy: "/etc/p.json", plugins: "./plugins" }),
    "bulkhead grant bridge --policy /etc/p.json --plugins ./plugins",
  );
  assert.is(grantCommand("b", { policy: "my policy's.json" }), `bulkhead grant b --policy 'my policy'\\''s.json'`);
});

test("what is missing, in words", () => {
  assert.is(
    missingText([
      { permission: "scope", asked: "global", granted: "local" },
      { permission: "danger", asked: true, granted: null },
      { permission: "wild", asked: { max: 3 }, granted: null },
    ]),
    'scope "global" (granted: "local"), danger, wild {"max":3}',
  );
});

test.run();

/** The audit log's file: whole lines, in order, of bounded length; kept small; and never anybody's problem. */
import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, suite, until } from "../../harness.js";
import { REPO } from "../../kit/host.js";
import { idle } from "../../kit/process.js";
import { audit, details, linesOf } from "./lines.js";

const test = suite("host/audit/audit-log");

const row = (detail: string) => ({ event: "refused", plugin: "p", detail }) as const;

test("a line: time, plugin, sha256, event, code, detail; null where there is none", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path);
  const from = Date.now();
  const sha256 = "ab".repeat(32);
  log.write({ event: "violation", plugin: "p", sha256, code: "ERR_PROTOCOL", detail: "why" });
  log.write({ event: "wall-weakened", detail: "less" });
  await log.close();
  const [first, second] = await linesOf(path);
  assert.equal(
    [first?.plugin, first?.sha256, first?.event, first?.code, first?.detail],
    ["p", sha256, "violation", "ERR_PROTOCOL", "why"],
  );
  assert.ok(Date.parse(first?.time ?? "") >= from && Date.parse(first?.time ?? "") <= Date.now());
  assert.equal(
    [second?.plugin, second?.sha256, second?.event, second?.code, second?.detail],
    [null, null, "wall-weakened", null, "less"],
  );
});

test("nothing is made before the first line; then the folder and a file that only its owner reads", async (t) => {
  const folder = join(await t.folder(), "data", "deep");
  const path = join(folder, "audit.jsonl");
  const former = process.umask(0);
  t.cleanup(() => process.umask(former));
  const { log } = audit(t, path);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.is(await stat(folder).catch(() => "absent"), "absent");
  log.write(row("one"));
  await log.close();
  assert.is((await stat(folder)).mode & 0o777, 0o700);
  assert.is((await stat(path)).mode & 0o777, 0o600);
});

test("what stands in the file stays, and so does its mode", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  for (const detail of ["one", "two"]) {
    const { log } = audit(t, path);
    log.write(row(detail));
    await log.close();
    await chmod(path, 0o640);
  }
  assert.equal(await details(path), ["one", "two"]);
  assert.is((await stat(path)).mode & 0o777, 0o640);
});

test("a plugin's words: one visible line of bounded length, that forges no other", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path);
  const forged = 'x"}\n{"time":"2000-01-01T00:00:00.000Z","plugin":"q"}\u2028\u202e\u001b[2J\ud800';
  log.write({ event: "refused", plugin: `a\n${"b".repeat(500)}`, code: "ERR\n", detail: forged });
  log.write(row("y".repeat(100_000)));
  log.write(row("\u0001".repeat(100_000)));
  await log.close();
  const text = await readFile(path, "utf8");
  for (const raw of ["\u2028", "\u202e", "\u001b", "\ufffd"]) assert.not.ok(text.includes(raw));
  const found = await linesOf(path);
  assert.is(found.length, 3);
  assert.is(
    found[0]?.detail,
    String.raw`x"}\n{"time":"2000-01-01T00:00:00.000Z","plugin":"q"}\u{2028}\u{202e}\u{1b}[2J\u{d800}`,
  );
  assert.ok((found[0]?.plugin?.length ?? 0) <= 128);
  for (const { detail } of found.slice(1)) assert.ok(detail.length <= 1024 && detail.endsWith("…"), detail.slice(-9));
});

test("put aside at its size; so many are kept, and each line stands in one of them, in order", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { fileBytes: 2000, files: 3, lines: 1000 });
  // A line has some 130 bytes: fifteen to a file.
  for (let n = 0; n < 120; n++) log.write(row(`line ${n}`));
  await log.close();
  const files = [`${path}.3`, `${path}.2`, `${path}.1`, path];
  const kept: string[] = [];
  for (const file of files) {
    assert.ok((await stat(file)).size <= 2000, file);
    assert.is((await stat(file)).mode & 0o777, 0o600);
    kept.push(...(await details(file)));
  }
  assert.is(await stat(`${path}.4`).catch(() => "absent"), "absent");
  assert.ok(kept.length > 45 && kept.length < 120, String(kept.length));
  assert.equal(
    kept,
    Array.from({ length: kept.length }, (_, n) => `line ${120 - kept.length + n}`),
  );
});

test("a line that is longer than a file may be is written all the same, by itself", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { fileBytes: 10 });
  log.write(row("one"));
  log.write(row("two"));
  await log.close();
  assert.equal([await details(path), await details(`${path}.1`)], [["two"], ["one"]]);
});

test("put aside, or removed, by somebody else: the next line stands in a file of that name", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path);
  const written = async (detail: string): Promise<void> => {
    log.write(row(detail));
    await until(async () => (await details(path).catch((): readonly string[] => [])).includes(detail), detail);
  };
  await written("one");
  await rename(path, `${path}.old`);
  await written("two");
  await rm(path);
  await written("three");
  assert.equal([await details(`${path}.old`), await details(path)], [["one"], ["three"]]);
});

test("two hosts on one file: whole lines of both", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const logs = [audit(t, path, { lines: 1000 }).log, audit(t, path, { lines: 1000 }).log];
  for (let n = 0; n < 200; n++) {
    for (const [one, log] of logs.entries()) log.write(row(`${one} ${n}`));
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(logs.map((log) => log.close()));
  const found = await details(path);
  for (const one of [0, 1]) {
    assert.equal(
      found.filter((detail) => detail.startsWith(`${one} `)),
      Array.from({ length: 200 }, (_, n) => `${one} ${n}`),
    );
  }
});

test("half a line, left by a process that died, does not swallow the next one", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  await writeFile(path, '{"time":"2000');
  const { log } = audit(t, path);
  log.write(row("one"));
  await log.close();
  const [torn, line] = (await readFile(path, "utf8")).split("\n");
  assert.is(torn, '{"time":"2000');
  assert.is((JSON.parse(line ?? "") as { detail: string }).detail, "one");
});

test("a flood is dropped, counted and said; ends, violations and other plugins have room all the same", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { lines: 3, window: 60_000 });
  for (let n = 0; n < 1000; n++) {
    log.write({ event: "timeout", plugin: "p", detail: `${n}` });
    log.write({ event: "request-refused", plugin: "p", detail: `${n}` });
  }
  log.write({ event: "killed", plugin: "p", detail: "killed" });
  log.write({ event: "timeout", plugin: "q", detail: "neighbour" });
  await log.close();
  const found = await linesOf(path);
  assert.equal(
    found.map(({ plugin, event, detail }) => [plugin, event, detail]),
    [
      ["p", "timeout", "0"],
      ["p", "request-refused", "0"],
      ["p", "timeout", "1"],
      ["p", "killed", "killed"],
      ["q", "timeout", "neighbour"],
      ["p", "dropped", "dropped: 999 request-refused, 998 timeout; the quota is 3 lines of a kind per plugin in 60 s"],
    ],
  );
});

test("what was dropped is said when the window is over, without another line; then there is room again", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { lines: 1, window: 100 });
  for (let n = 0; n < 5; n++) log.write({ event: "crashed", plugin: "p", detail: `${n}` });
  // The timer holds no process open, so it is waited for by polling.
  await until(
    async () => (await details(path).catch((): readonly string[] => [])).length === 2,
    "the line that tells of it",
  );
  log.write({ event: "crashed", plugin: "p", detail: "again" });
  await log.close();
  assert.equal(await details(path), [
    "0",
    "dropped: 4 crashed; the quota is 1 lines of a kind per plugin in 0.1 s",
    "again",
  ]);
});

test("where it cannot be written: said once, nothing thrown; when it can, what was lost is said", async (t) => {
  const folder = await t.folder();
  const path = join(folder, "data", "audit.jsonl");
  // A file where the folder should be: for root too.
  await writeFile(join(folder, "data"), "");
  const { log, said } = audit(t, path);
  for (let n = 0; n < 3; n++) {
    log.write(row(`${n}`));
    log.write(row(`${n}`));
    await until(() => said.length > 0, "the log's word");
    await idle();
  }
  assert.is(said.length, 1);
  assert.match(
    said[0] ?? "",
    /the audit log .*audit\.jsonl cannot be written: E(NOTDIR|EXIST).*its lines are lost until/,
  );
  await rm(join(folder, "data"));
  log.write(row("at last"));
  await until(() => stat(path).catch(() => undefined), "the file");
  log.write(row("and on"));
  await log.close();
  const found = await details(path);
  assert.match(found[0] ?? "", /^6 lines were lost: E(NOTDIR|EXIST)$/);
  assert.equal(found.slice(1), ["at last", "and on"]);
  assert.is(said.length, 1);
});

/** Writes twenty lines in a process of its own, whose files may have 2 KiB, and prints what it has said in the log. */
const FULL = `
  import { AuditLog } from "#dist/host/audit/audit.js";
  const said = [];
  const log = new AuditLog(process.argv[1], { error: (_, message) => said.push(message) });
  for (let n = 0; n < 20; n++) {
    log.write({ event: "refused", plugin: "p", detail: "n" + n });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await log.close();
  console.log(JSON.stringify(said));
`;

test("a full disk: said once; half a line is left at most, and spoils no other", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const limited = ["-c", 'ulimit -f 4; exec "$0" "$@"', process.execPath, "--input-type=module", "-e", FULL, path];
  const { stdout } = await promisify(execFile)("sh", limited, { cwd: REPO });
  const said = JSON.parse(stdout) as string[];
  assert.is(said.length, 1);
  assert.match(said[0] ?? "", /cannot be written: EFBIG/);
  assert.is((await stat(path)).size, 2048);
  const { log } = audit(t, path);
  log.write(row("space again"));
  await log.close();
  const lines = (await readFile(path, "utf8")).split("\n");
  const whole = lines.slice(0, -3).map((line) => (JSON.parse(line) as { detail: string }).detail);
  assert.equal(
    whole,
    Array.from({ length: whole.length }, (_, n) => `n${n}`),
  );
  assert.throws(() => JSON.parse(lines.at(-3) ?? ""));
  assert.is((JSON.parse(lines.at(-2) ?? "") as { detail: string }).detail, "space again");
});

test("a link in its place is not followed", async (t) => {
  const folder = await t.folder();
  await symlink(join(folder, "target"), join(folder, "audit.jsonl"));
  const { log, said } = audit(t, join(folder, "audit.jsonl"));
  log.write(row("one"));
  await log.close();
  assert.match(said.join(), "ELOOP");
  assert.is(await stat(join(folder, "target")).catch(() => "absent"), "absent");
});

test("a folder in its place, and lines after close: nothing happens", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  await mkdir(path);
  const { log, said } = audit(t, path);
  log.write(row("one"));
  await log.close();
  assert.match(said.join(), "EISDIR");
  log.write(row("two"));
  await log.close();
  assert.is(said.length, 1);
});

test("more lines than may wait for the disk are lost, and said to be", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { lines: 1000, queue: 10 });
  for (let n = 0; n < 30; n++) log.write(row(`${n}`));
  await log.close();
  const found = await details(path);
  assert.is(found.length, 11);
  assert.is(found[0], "20 lines were lost: more than 10 lines waited for the disk");
});

test("lines of one burst are written together", async (t) => {
  const path = join(await t.folder(), "audit.jsonl");
  const { log } = audit(t, path, { lines: 1000 });
  log.write(row("first"));
  await until(async () => (await stat(path).catch(() => undefined))?.size, "the first line");
  const sizes = new Set<number>();
  // Less than a page: a file grows by pages.
  for (let n = 0; n < 30; n++) log.write(row(`${n}`));
  let done = false;
  const closing = log.close().then(() => {
    done = true;
  });
  while (!done) sizes.add((await stat(path)).size);
  await closing;
  sizes.add((await stat(path)).size);
  assert.ok(sizes.size <= 2, `sizes seen: ${[...sizes]}`);
});

test.run();

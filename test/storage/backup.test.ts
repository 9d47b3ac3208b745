/** `bulkhead backup` and `restore`: consistent beside a busy host; a damaged backup, a folder in use or with content are refused untouched. */
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { EndpointConfig } from "#dist/index.js";
import { newAbout } from "#dist/storage/about.js";
import { restore } from "#dist/storage/backup.js";
import { openDataFolder } from "#dist/storage/folder.js";
import { inspectFolder } from "#dist/storage/inspect.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { statePaths } from "#dist/storage/paths.js";
import { StateFile } from "#dist/storage/state-file.js";
import type { Table } from "#dist/storage/tables.js";
import { cli } from "../cli/cli.js";
import { controlled } from "../control/controlled.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("storage/backup");
const run = promisify(execFile);
const ROOT = process.getuid?.() === 0 ? false : "no root: an account cannot be changed";

/** A data folder with two networks, and a backup of it. */
async function backedUp(
  t: TestContext,
): Promise<{ readonly folder: string; readonly file: string; readonly root: string }> {
  const root = await t.folder();
  const folder = join(root, "data");
  const opened = await openDataFolder(folder);
  for (const nid of ["n1", "n2"])
    await new LogJournal(opened.state).settle({
      key: { type: "bridge", nid },
      entry: { phase: "live", options: "{}" },
    });
  await opened.close();
  const file = join(root, "backup");
  const ran = await cli(["backup", file, "--data-dir", folder]);
  assert.is(ran.exit, 0, ran.err);
  assert.match(ran.out, /^backed up .*data \(no host ran on it\) into .*backup; records: journal 2\n$/);
  return { folder, file, root };
}

for (const as of ["file", "folder"] as const) {
  test(`beside a busy host, into a ${as}: everything acknowledged before, nothing that the host had not written`, async (t) => {
    const { host, home } = await controlled(t, { "net.js": plugin("net") });
    const driver = host.driver("net");
    let made = 0;
    let busy = true;
    const load = (async () => {
      while (busy) {
        await driver.createNetwork(`n${made}`);
        await driver.createEndpoint(`n${made}`, "e", new EndpointConfig());
        made++;
      }
    })();
    while (made < 20) await new Promise((resolve) => setImmediate(resolve));
    const before = made;
    const to = home.path(as === "file" ? "backup" : "backup/");
    const ran = await cli(["backup", to, "--data-dir", home.path("data"), "--json"]);
    busy = false;
    await load;
    assert.is(ran.exit, 0, ran.out);
    const { live, as: kind } = ran.json();
    assert.equal([live, kind], [true, as]);
    assert.is((await stat(to)).mode & 0o077, 0, "nobody else may read it");
    const restored = await cli(["restore", to, "--data-dir", home.path("again")]);
    assert.is(restored.exit, 0, restored.err);
    await host.close();
    const again = await home.open({ dataDir: home.path("again") });
    const opened = await again.control(home.path("again/control.sock"));
    const { ControlClient } = await import("#dist/control/client.js");
    const { networks } = await new ControlClient(opened.path).ask("networks");
    const ids = networks.map(({ id }) => Number(id.slice(1))).sort((a, b) => a - b);
    assert.ok(ids.length >= before, `${ids.length} of ${before}`);
    assert.equal(ids, [...ids.keys()], "no network without those before it");
    assert.equal(
      networks.filter(({ id, endpoints }) => Number(id.slice(1)) < before && endpoints !== 1),
      [],
    );
    await again.driver("net").deleteEndpoint("n0", "e");
    await again.driver("net").deleteNetwork("n0");
  });
}

test("a restored folder has the same rows, and belongs to the folder's owner", async (t) => {
  const { folder, file, root } = await backedUp(t);
  const target = join(root, "target");
  await mkdir(target);
  if (ROOT === false) await chown(target, 65_534, 65_534);
  assert.is((await cli(["restore", file, "--data-dir", target])).exit, 0);
  const [was, is] = [await inspectFolder(folder), await inspectFolder(target)];
  const sorted = ({ rows }: typeof was): unknown =>
    [...rows].map(([table, all]) => [table, all.map(({ key, body }) => `${key.toString("hex")} ${body}`).sort()]);
  assert.equal(sorted(is), sorted(was));
  const owner = (await stat(target)).uid;
  for (const name of await readdir(target)) assert.is((await stat(join(target, name))).uid, owner, name);
});

test("a damaged, cut or foreign file restores nothing", async (t) => {
  const { file, root } = await backedUp(t);
  const whole = await readFile(file);
  const target = join(root, "target");
  const refused = async (bytes: Uint8Array, what: string): Promise<void> => {
    const bad = join(root, "bad");
    await writeFile(bad, bytes);
    const ran = await cli(["restore", bad, "--data-dir", target, "--json"]);
    assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_JOURNAL_CORRUPT"], `${what}: ${ran.out}`);
    assert.match(ran.json().error?.message ?? "", "nothing was restored");
    assert.not((await readdir(root)).includes("target"), what);
  };
  for (let at = 0; at < whole.length; at += 37) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await refused(bytes, `byte ${at}`);
  }
  for (const length of [0, 100, 128, whole.length - 24, whole.length - 1])
    await refused(whole.subarray(0, length), `${length} bytes`);
  await refused(Buffer.concat([whole, Buffer.from("more")]), "more behind it");
  await refused(Buffer.from("#!/bin/sh\n"), "another file");
  const none = await cli(["restore", join(root, "none"), "--data-dir", target]);
  assert.match(none.err, /^error ERR_OPTIONS: the backup .*none cannot be read: ENOENT/);
});

test("a folder with content, and one that a host runs on, are left as they are", async (t) => {
  const { file, root } = await backedUp(t);
  const target = join(root, "target");
  await mkdir(target);
  await writeFile(join(target, "audit.jsonl"), "kept");
  const ran = await cli(["restore", file, "--data-dir", target, "--json"]);
  assert.equal([ran.exit, ran.json().error?.code], [1, "ERR_OPTIONS"]);
  assert.match(ran.json().error?.message ?? "", `${target} is not empty; `);
  assert.equal((await readdir(target)).sort(), ["audit.jsonl", "host.lock"]);
  const { host, home } = await controlled(t, { "net.js": plugin("net") });
  await host.driver("net").createNetwork("n");
  // The flight recorder writes its first lines when it likes to.
  const names = async (): Promise<string[]> =>
    (await readdir(home.path("data"))).filter((name) => name !== "recording.jsonl").sort();
  const before = await names();
  const live = await cli(["restore", file, "--data-dir", home.path("data")]);
  assert.is(live.exit, 1);
  assert.match(live.err, new RegExp(`^error ERR_DATA_LOCKED: .* is in use by process ${process.pid};`));
  assert.equal(await names(), before);
  await host.driver("net").deleteNetwork("n");
});

test("a backup replaces nothing, and leaves nothing behind where it fails", async (t) => {
  const { folder, file, root } = await backedUp(t);
  const text = await readFile(file);
  const again = await cli(["backup", file, "--data-dir", folder]);
  assert.match(
    again.err,
    /^error ERR_OPTIONS: .*backup: it already exists; name a new file or folder for the backup\n$/,
  );
  assert.ok(text.equals(await readFile(file)));
  const nowhere = await cli(["backup", join(root, "none", "b"), "--data-dir", folder]);
  assert.match(nowhere.err, /^error ERR_OPTIONS: the backup .* cannot be written: ENOENT/);
  const empty = await cli(["backup", join(root, "b"), "--data-dir", await t.folder(), "--json"]);
  assert.is(empty.json().error?.code, "ERR_DATA_DIR");
  const [log = ""] = (await readdir(folder)).filter((name) => name.startsWith("log."));
  await truncate(join(folder, log), 140);
  const broken = await cli(["backup", join(root, "b"), "--data-dir", folder, "--json"]);
  assert.equal([broken.exit, broken.json().error?.code], [1, "ERR_JOURNAL_CORRUPT"]);
  assert.equal((await readdir(root)).sort(), ["backup", "data"]);
});

test(
  "another account is told that it may not read the folder",
  async (t) => {
    const { folder, root } = await backedUp(t);
    await chmod(root, 0o777);
    const args = [join(REPO, "dist/cli/main.js"), "backup", join(root, "b"), "--data-dir", folder];
    const failed = await run(process.execPath, args, { uid: 65_534, gid: 65_534, cwd: root }).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    assert.is(failed?.code, 1);
    assert.match(failed?.stderr ?? "", /^error ERR_DATA_DIR: .*this account may not access it; run as its owner\n$/);
  },
  { needs: ROOT },
);

test("a file whose rows no host writes is refused before anything is restored", async (t) => {
  const root = await t.folder();
  const about = JSON.stringify(newAbout());
  const cases: readonly (readonly [name: string, rows: readonly (readonly [Table, string, string])[]])[] = [
    ["no format", []],
    ["not JSON", [["meta", "about", "not json"]]],
    ["null", [["meta", "about", "null"]]],
    ["another's id", [["meta", "about", JSON.stringify({ ...newAbout(), id: 'x"; } table' })]]],
    [
      "a journal row",
      [
        ["meta", "about", about],
        ["journal", "k", "]["],
      ],
    ],
    [
      "a link",
      [
        ["meta", "about", about],
        ["links", "k", '{"plugin":"p"}'],
      ],
    ],
  ];
  for (const [name, rows] of cases) {
    const folder = join(root, name);
    await mkdir(folder, { mode: 0o700 });
    const state = await StateFile.open(statePaths(folder), "");
    for (const [table, key, body] of rows) await state.put(table, Buffer.from(key), body);
    await state.close();
    const to = join(root, `${name} restored`);
    const error = await rejection(restore(folder, to));
    assert.match(error.code ?? "", /^ERR_(JOURNAL_CORRUPT|DATA_DIR)$/, `${name}: ${error.message}`);
    assert.is(await readdir(to).catch(() => "absent"), "absent", name);
  }
});

test.run();

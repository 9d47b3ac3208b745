/** What is wrong beside the files' contents: told as what it is, with nothing changed, and never as damage. */
import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { chown, cp, lchown, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { locked, openDataFolder } from "#dist/storage/folder.js";
import { LogJournal } from "#dist/storage/journal/log-journal.js";
import { statePaths } from "#dist/storage/paths.js";
import { cli } from "../cli/cli.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";

const test = suite("storage/faults");
const ROOT = process.getuid?.() === 0 ? false : "no root: nothing can be mounted";

async function filled(t: TestContext): Promise<string> {
  const folder = join(await t.folder(), "data");
  const opened = await openDataFolder(folder);
  await settle(opened.state, "n");
  await opened.close();
  return folder;
}

function settle(state: Awaited<ReturnType<typeof openDataFolder>>["state"], nid: string): Promise<void> {
  return new LogJournal(state).settle({ key: { type: "bridge", nid }, entry: { phase: "live", options: "{}" } });
}

/** Process ids of readers of this folder. */
function readers(folder: string): readonly number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return line.includes("reader-main") && line.includes(folder) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

test("a FIFO in the place of the lock holds up nothing", async (t) => {
  const folder = await filled(t);
  await rm(join(folder, "host.lock"));
  execFileSync("mkfifo", [join(folder, "host.lock")]);
  const { code, message } = await rejection(openDataFolder(folder));
  assert.is(code, "ERR_DATA_DIR");
  assert.match(message, /host\.lock is not a file; remove it/);
});

test("a folder that is deleted or replaced while a host runs: no later write is acknowledged", async (t) => {
  const gone = await filled(t);
  const first = await openDataFolder(gone);
  await rm(gone, { recursive: true });
  const deleted = await rejection(settle(first.state, "late"));
  assert.is(deleted.code, "ERR_JOURNAL_FAILED");
  assert.match(deleted.message, /deleted while the host ran/);
  await first.close();

  const folder = await filled(t);
  const second = await openDataFolder(folder);
  await cp(folder, `${folder}-copy`, { recursive: true });
  await rename(folder, `${folder}-before`);
  await rename(`${folder}-copy`, folder);
  assert.match((await rejection(settle(second.state, "late"))).message, /another file has taken its place/);
  await second.close();
});

test(
  "a read-only file system: shown, with whether a host runs on it, and refused to a host as what it is",
  async (t) => {
    const folder = await filled(t);
    const readOnly = await t.folder();
    execFileSync("mount", ["--bind", folder, readOnly]);
    t.cleanup(() => execFileSync("umount", [readOnly]));
    execFileSync("mount", ["-o", "remount,bind,ro", readOnly]);
    const shown = async () => {
      const ran = await cli(["state", "--data-dir", readOnly, "--json"]);
      assert.is(ran.exit, 0, ran.out);
      const { journal, live } = ran.json() as unknown as { journal: unknown[]; live: boolean };
      return { networks: journal.length, live };
    };
    assert.equal(await shown(), { networks: 1, live: false });
    const { code, message } = await rejection(openDataFolder(readOnly));
    assert.is(code, "ERR_DATA_DIR");
    assert.match(message, /read-only/);
    const opened = await openDataFolder(folder);
    t.cleanup(() => opened.close());
    assert.equal(await shown(), { networks: 1, live: true });
  },
  { needs: ROOT },
);

test("no free descriptor: told as that", async (t) => {
  const folder = await filled(t);
  const script = `
    import { openSync } from "node:fs";
    import { openDataFolder } from ${JSON.stringify(import.meta.resolve("#dist/storage/folder.js"))};
    try { for (;;) openSync("/dev/null"); } catch {}
    await openDataFolder(${JSON.stringify(folder)}).catch(({ code, message }) => console.log(code, message));
  `;
  const command = `ulimit -n 64; exec ${process.execPath} --input-type=module -`;
  const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stdin.end(script);
  await new Promise((resolve) => child.once("close", resolve));
  assert.match(out, /^ERR_DATA_DIR .*(no free file descriptor|EMFILE)/);
});

test("a flush of the folder waits for a free descriptor", async (t) => {
  const folder = await filled(t);
  const script = `
    import { closeSync, openSync } from "node:fs";
    import { openDisk } from ${JSON.stringify(import.meta.resolve("#dist/storage/log/disk.js"))};
    const disk = openDisk(${JSON.stringify(folder)});
    let last;
    try { for (;;) last = openSync("/dev/null"); } catch {}
    const flushed = disk.flushFolder();
    setTimeout(() => closeSync(last), 60);
    await flushed.then(() => console.log("flushed"), ({ code }) => console.log(code));
  `;
  const command = `ulimit -n 64; exec ${process.execPath} --input-type=module -`;
  const child = spawn("sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stdin.end(script);
  await new Promise((resolve) => child.once("close", resolve));
  assert.is(out.trim(), "flushed");
});

test("a command that reads the folder does not keep a host from starting", async (t) => {
  const folder = join(await t.folder(), "data");
  await mkdir(folder, { mode: 0o700 });
  // Reading a FIFO takes as long as a large file on a slow disk.
  execFileSync("mkfifo", [join(folder, "state.mdb")]);
  const running = cli(["state", "--data-dir", folder, "--json"]);
  const [reader = 0] = await until(() => {
    const found = readers(folder);
    return found.length > 0 ? found : undefined;
  }, "a reader");
  const lock = await locked(statePaths(folder));
  lock.release();
  process.kill(reader, "SIGKILL");
  assert.is((await running).exit, 1);
});

test("a lock that a command holds for a moment is waited for", async (t) => {
  const folder = await filled(t);
  const held = spawn("flock", ["-s", join(folder, "host.lock"), "sh", "-c", "echo held; exec sleep 0.08"]);
  await new Promise((resolve) => held.stdout.once("data", resolve));
  await (await openDataFolder(folder)).close();
});

test(
  "what root creates in another account's folder belongs to that account",
  async (t) => {
    const folder = await filled(t);
    const own = (name: string): Promise<void> => lchown(join(folder, name), 12_345, 12_345);
    await Promise.all((await readdir(folder)).map(own));
    await chown(folder, 12_345, 12_345);
    const owners = async (): Promise<string> => {
      const names = await readdir(folder, { recursive: true });
      const found = await Promise.all(
        names.map(async (name) => {
          const { uid, gid } = await lstat(join(folder, name));
          return uid === 12_345 && gid === 12_345 ? [] : [`${name} ${uid}:${gid}`];
        }),
      );
      return found.flat().join(", ");
    };
    await rm(join(folder, "host.lock"));
    await (await openDataFolder(folder)).close();
    assert.is(await owners(), "", "started by root");
    const log = join(folder, "log.000001");
    const bytes = await readFile(log);
    const at = bytes.indexOf('"bridge"');
    bytes[at + 1] = 0x78;
    await writeFile(log, bytes);
    const ran = await cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"]);
    assert.is(ran.exit, 0, ran.out);
    assert.is(await owners(), "", "recovered by root");
  },
  { needs: ROOT },
);

test("recovery changes nothing when its reader is killed", async (t) => {
  const folder = join(await t.folder(), "data");
  await mkdir(folder, { mode: 0o700 });
  // A reader of a FIFO waits for its other end, as one of a large file on a slow disk waits.
  execFileSync("mkfifo", [join(folder, "state.mdb")]);
  await writeFile(join(folder, "flushed"), "");
  const before = (await readdir(folder)).sort();
  const running = cli(["state", "--data-dir", folder, "--recover", "--yes", "--json"]);
  const [reader = 0] = await until(() => {
    const found = readers(folder);
    return found.length > 0 ? found : undefined;
  }, "a reader");
  process.kill(reader, "SIGKILL");
  const ran = await running;
  assert.is(ran.exit, 1);
  assert.is(ran.json().error?.code, "ERR_DATA_DIR");
  assert.match(ran.json().error?.message ?? "", /ended by SIGKILL; nothing was changed/);
  assert.equal((await readdir(folder)).filter((name) => name !== "host.lock").sort(), before);
});

test("a backup beside a running host is a folder that opens", async (t) => {
  const folder = await filled(t);
  const opened = await openDataFolder(folder);
  t.cleanup(() => opened.close());
  await settle(opened.state, "second");
  const target = join(await t.folder(), "copy");
  const ran = await cli(["state", "--data-dir", folder, "--backup", target, "--json"]);
  assert.is(ran.exit, 0, ran.out);
  const copy = await openDataFolder(target);
  t.cleanup(() => copy.close());
  assert.is((await new LogJournal(copy.state).load("bridge")).length, 2);
  const again = await cli(["state", "--data-dir", folder, "--backup", target, "--json"]);
  assert.match(again.json().error?.message ?? "", /it already exists/);
});

test.run();

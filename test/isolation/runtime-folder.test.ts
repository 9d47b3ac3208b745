/** What a host process may read: there while it is needed, readable to everybody, gone afterwards, also when its owner was killed. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { acquireRuntimeFolder, releaseRuntimeFolder } from "#dist/isolation/walls/runtime-folder.js";
import { seccompFilter } from "#dist/isolation/walls/seccomp.js";
import { assert, suite, type TestContext } from "../harness.js";

const test = suite("isolation: the runtime folder");
const MODULE = fileURLToPath(import.meta.resolve("#dist/isolation/walls/runtime-folder.js"));

/** A folder of the test's own that everybody can pass through, in place of the system's for temporary files. */
async function temporary(t: TestContext): Promise<string> {
  const folder = await t.folder();
  chmodSync(folder, 0o755);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.cleanup(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

/** Every path below `folder`, itself included. */
function below(folder: string): string[] {
  return [folder, ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name))];
}

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

test("whatever the umask: everybody may read all of it, nobody else may write, and it holds what is needed alone", async (t) => {
  const base = await temporary(t);
  const mask = process.umask(0o077);
  t.cleanup(() => process.umask(mask));
  const folder = acquireRuntimeFolder();
  t.cleanup(releaseRuntimeFolder);
  assert.is(dirname(folder.path), base);
  assert.match(folder.path, new RegExp(`/bulkhead-runtime-${process.pid}-\\w+$`));
  for (const path of below(folder.path)) {
    const stat = lstatSync(path);
    assert.is(stat.mode & 0o777, stat.isDirectory() || path === folder.node ? 0o755 : 0o644, path);
  }
  assert.equal(
    readdirSync(folder.path)
      .filter((name) => name !== "node")
      .sort(),
    ["dist", "node_modules", "seccomp.bpf"],
  );
  assert.equal(readdirSync(join(folder.path, "node_modules")), ["piscina"]);
  assert.equal(readdirSync(join(folder.path, "dist"), { recursive: true }).sort(), [
    "isolation",
    "isolation/host-process.mjs",
    "worker",
    "worker/bootstrap.cjs",
  ]);
  assert.ok(folder.entry.startsWith(folder.path) && existsSync(folder.entry));
  assert.equal(folder.filter && readFileSync(folder.filter), seccompFilter());
  assert.is(statSync(folder.node).mode & 0o005, 0o005);
});

test("one for all who use it; removed when the last one has given it back", async (t) => {
  const base = await temporary(t);
  const first = acquireRuntimeFolder();
  assert.is(acquireRuntimeFolder().path, first.path);
  releaseRuntimeFolder();
  assert.ok(existsSync(first.entry));
  releaseRuntimeFolder();
  assert.equal(readdirSync(base), []);
  const next = acquireRuntimeFolder();
  assert.ok(existsSync(next.entry));
  releaseRuntimeFolder();
  assert.equal(readdirSync(base), []);
});

test("a start removes what dead processes have left, and nothing else", async (t) => {
  const base = await temporary(t);
  const dead = deadPid();
  const make = (name: string): string => {
    mkdirSync(join(base, name, "dist"), { recursive: true });
    writeFileSync(join(base, name, "dist", "file"), "");
    return name;
  };
  const stale = make(`bulkhead-runtime-${dead}-abcdef`);
  const [namespace] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
  const staleHere = make(`bulkhead-runtime-${dead}-${namespace}_abcdef`);
  const kept = [
    // Another container's: whether its process lives cannot be seen from here.
    make(`bulkhead-runtime-${dead}-1_abcdef`),
    make(`bulkhead-runtime-${process.ppid}-abcdef`),
    make("bulkhead-runtime-abcdef"),
    make(`bulkhead-runtime-${dead}`),
    make(`bulkhead-runtimes-${dead}-abcdef`),
    make(`other-${dead}-abcdef`),
  ];
  const link = `bulkhead-runtime-${dead}-link`;
  symlinkSync(join(base, make("precious")), join(base, link));
  if (process.getuid?.() === 0) {
    const foreign = make(`bulkhead-runtime-${dead}-foreign`);
    chownSync(join(base, foreign), 65_534, 65_534);
    kept.push(foreign);
  }
  const own = acquireRuntimeFolder();
  t.cleanup(releaseRuntimeFolder);
  const left = readdirSync(base).map((name) => join(base, name));
  for (const name of [stale, staleHere]) assert.not.ok(left.includes(join(base, name)), "the stale one is still there");
  assert.equal(left.sort(), [own.path, ...[...kept, link, "precious"].map((name) => join(base, name))].sort());
  assert.ok(existsSync(join(base, "precious", "dist", "file")));
});

test("a folder for temporary files that others cannot enter is not used", async (t) => {
  const base = await temporary(t);
  chmodSync(base, 0o700);
  const folder = acquireRuntimeFolder();
  t.cleanup(releaseRuntimeFolder);
  assert.not.ok(folder.path.startsWith(base));
  for (let at = folder.path; at !== "/"; at = dirname(at)) assert.is(statSync(at).mode & 0o001, 0o001, at);
});

for (const [what, folderMode, fileMode] of [
  ["stands where others cannot go", 0o700, 0o755],
  ["is unreadable to others itself", 0o755, 0o700],
] as const) {
  test(`a Node that ${what} is put into the folder; the original stays as it is`, async (t) => {
    await temporary(t);
    const hidden = join(await t.folder(), "bin");
    mkdirSync(hidden);
    const node = join(hidden, "node");
    copyFileSync(process.execPath, node);
    chmodSync(node, fileMode);
    chmodSync(hidden, folderMode);
    const code = `
      const { acquireRuntimeFolder, releaseRuntimeFolder } = await import(${JSON.stringify(MODULE)});
      const { execFileSync } = await import("node:child_process");
      const { statSync } = await import("node:fs");
      const { path, node } = acquireRuntimeFolder();
      const told = { inside: node === path + "/node", mode: statSync(node).mode & 0o777, runs: String(execFileSync(node, ["--version"])).trim() };
      releaseRuntimeFolder();
      console.log(JSON.stringify(told));`;
    const { stdout, stderr } = spawnSync(node, ["--input-type=module", "-e", code], { encoding: "utf8" });
    assert.equal(stderr, "");
    assert.equal(JSON.parse(stdout), { inside: true, mode: 0o755, runs: process.version });
    assert.is(statSync(node).mode & 0o777, fileMode);
  });
}

test.run();

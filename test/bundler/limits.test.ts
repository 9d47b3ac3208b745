/** No plugin takes the bundler's time, memory or processes from the next one. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { prepareBundler, releaseBundler } from "#dist/bundler/bundle.js";
import { BUNDLER } from "#dist/bundler/limits.js";
import { assert, rejection, suite, until } from "../harness.js";
import { bundle, pluginFolder, refused, run } from "./plugin-folder.js";

const test = suite("bundler: limits");

function processes(): { readonly pid: number; readonly ppid: number; readonly args: string }[] {
  return execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .flatMap((match) => (match ? [{ pid: Number(match[1]), ppid: Number(match[2]), args: match[3] ?? "" }] : []));
}

/** Commands of all processes below this one. */
function descendants(): string[] {
  const rows = processes();
  const below = new Set([process.pid]);
  for (const row of rows) if (below.has(row.ppid)) below.add(row.pid);
  // An orphaned esbuild hangs below init; its arguments tell.
  return rows
    .filter(
      (row) =>
        row.pid !== process.pid &&
        (below.has(row.pid) || (row.ppid === 1 && /esbuild.*--service/.test(row.args))) &&
        !/^ps /.test(row.args),
    )
    .map((row) => row.args);
}

test("two million nested brackets are over the size of a file", async (t) => {
  const error = await refused(t, await pluginFolder(t, { "index.js": "[".repeat(2_000_000) }));
  assert.is(error.code, "ERR_PLUGIN_SIZE");
  assert.match(error.message, /index\.js has 2000000 bytes.*1048576/);
});

for (const [what, text] of Object.entries({
  "nested brackets": "[".repeat(900_000),
  "nested and closed brackets": `export default ${"[".repeat(500_000)}${"]".repeat(500_000)};`,
  "nested JSON": undefined,
})) {
  test(
    `900 KB of ${what} end the bundler, not the platform`,
    async (t) => {
      const root = await pluginFolder(t, {
        "index.js": text ?? 'import deep from "./deep.json"; export { deep };',
        "deep.json": "[".repeat(900_000),
      });
      // On a busy machine it takes longer than a bundling may.
      const error = await refused(t, root, { deadline: 50_000 });
      assert.is(error.code, "ERR_BUNDLE_FAILED", error.message);
      assert.ok(/nested too deeply|takes more than/.test(error.message), error.message);
      assert.ok(error.message.length < 600, error.message);
    },
    { ms: 90_000 },
  );
}

test("nesting that esbuild bears and the sandbox does not", async (t) => {
  const error = await refused(
    t,
    await pluginFolder(t, { "index.js": `export default ${"[".repeat(30_000)}${"]".repeat(30_000)};` }),
  );
  assert.is(error.code, "ERR_PLUGIN_SYNTAX");
  assert.match(error.message, /nested too deeply/);
});

test("all files together have a size limit, and so has their number", async (t) => {
  const files: Record<string, string> = {};
  const large = `/*${" ".repeat(BUNDLER.fileBytes - 100)}*/`;
  for (let n = 0; n < 17; n++) files[`f${n}.js`] = large;
  files["index.js"] = Object.keys(files)
    .map((name) => `import "./${name}";`)
    .join("\n");
  const error = await refused(t, await pluginFolder(t, files));
  assert.is(error.code, "ERR_PLUGIN_SIZE");
  assert.match(error.message, /may load \d+ of 16777216 bytes/);
});

test("the output has a size limit", async (t) => {
  const files: Record<string, string> = {};
  for (let n = 0; n < 10; n++) files[`f${n}.js`] = `export default ${JSON.stringify(String(n).repeat(1_000_000))};`;
  files["index.js"] = Object.keys(files)
    .map((name, n) => `export { default as f${n} } from "./${name}";`)
    .join("\n");
  const error = await refused(t, await pluginFolder(t, files));
  assert.is(error.code, "ERR_PLUGIN_SIZE");
  assert.match(error.message, /the bundle's code has \d+ bytes, and may have 8388608: load less/);
});

test("a named pipe as the plugin's own package.json is refused at once: esbuild would wait for its other end", async (t) => {
  const root = await pluginFolder(t, { "index.js": "export const a = 1;" });
  execFileSync("mkfifo", [join(root, "package.json")]);
  const error = await refused(t, root);
  assert.is(error.code, "ERR_PLUGIN_FILE");
  assert.match(error.message, /package\.json is a named pipe, not a regular file/);
});

test("a deadline ends it, and esbuild with it", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'import "stuck";', "node_modules/stuck/index.js": "" });
  // esbuild opens package.json files by itself, and a named pipe blocks it.
  execFileSync("mkfifo", [join(root, "node_modules/stuck/package.json")]);
  const error = await refused(t, root, { deadline: 1_000 });
  assert.is(error.code, "ERR_BUNDLE_FAILED");
  assert.match(error.message, /did not end within 1000 ms and was stopped; make it smaller/);
  assert.equal(descendants(), []);
});

test("an abort ends it, and esbuild with it", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'import "stuck";', "node_modules/stuck/index.js": "" });
  execFileSync("mkfifo", [join(root, "node_modules/stuck/package.json")]);
  const caller = new AbortController();
  const bundling = rejection(bundle(root, { signal: caller.signal }));
  await until(() => descendants().some((args) => args.includes("--service")), "esbuild to run");
  caller.abort();
  assert.is((await bundling).code, "ERR_CALL_ABORTED");
  assert.equal(descendants(), []);
  assert.is((await rejection(bundle(root, { signal: AbortSignal.abort() }))).code, "ERR_CALL_ABORTED");
});

test("many at once take turns", async (t) => {
  const root = await pluginFolder(t, { "index.js": "export const a = 1;" });
  let most = 0;
  const watch = setInterval(() => {
    // Only our own children: one that is about to become esbuild still bears its parent's arguments for a moment.
    const bundlers = processes().filter(({ ppid, args }) => ppid === process.pid && args.includes("child.js"));
    most = Math.max(most, bundlers.length);
  }, 20);
  t.cleanup(() => clearInterval(watch));
  const bundles = await Promise.all(Array.from({ length: 8 }, () => bundle(root)));
  assert.is(bundles.length, 8);
  assert.ok(most >= 1 && most <= 2, `${most} at once`);
});

test("the same files make the same bundle, with a spare or without", async (t) => {
  t.cleanup(releaseBundler);
  const root = await pluginFolder(t, { "index.js": "export const a = 1;" });
  const cold = await bundle(root);
  prepareBundler();
  prepareBundler();
  const started = performance.now();
  assert.equal(await bundle(root), cold);
  console.log(`NOTE a bundle with a spare just started: ${Math.round(performance.now() - started)} ms`);
  assert.is((run(cold) as { a: number }).a, 1);
  prepareBundler();
  assert.is(descendants().filter((args) => args.includes("child.js")).length, 1);
  await releaseBundler();
});

test(
  "the bundler's environment holds nothing of the platform's, and no file may be written",
  async (t) => {
    t.cleanup(releaseBundler);
    prepareBundler();
    const pid = await until(
      () =>
        processes().find(({ ppid, args }) => ppid === process.pid && /child\.js/.test(args) && /--max-old/.test(args))
          ?.pid,
      "the spare",
    );
    const { readFileSync } = await import("node:fs");
    const names = readFileSync(`/proc/${pid}/environ`, "utf8")
      .split("\0")
      .map((pair) => pair.split("=")[0]);
    for (const name of ["HOME", "NODE_OPTIONS", "PATH"]) assert.not.ok(names.includes(name), name);
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    assert.match(limits, /Max file size\s+0\s+0/);
    assert.match(limits, /Max data size\s+1342177280\s/);
  },
  { needs: process.platform === "linux" ? false : "it reads /proc" },
);

test("nothing is left running", async () => {
  assert.equal(descendants(), []);
});

test.run();

/** `dev` as its own process: loads, shows calls and lines, loads again in place when files change, and leaves nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { post } from "../docker/socket.js";
import { assert, suite, type TestContext } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { cli, fill } from "./cli.js";

const test = suite("cli/dev");

/** One line of `--json`. */
interface Line {
  readonly event: string;
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly ms?: number;
  readonly code?: string;
  readonly socket?: string;
  readonly ready?: boolean;
  readonly grant?: object;
  readonly [key: string]: unknown;
}

interface Dev {
  readonly child: ChildProcess;
  readonly ended: Promise<string>;
  /** Resolves with the first line that fits; no line is given twice. */
  next(event: string, fits?: (line: Line) => boolean): Promise<Line>;
  /** Its temporary folder. */
  readonly temporary: string;
  err(): string;
}

async function dev(t: TestContext, path: string, ...args: readonly string[]): Promise<Dev> {
  const temporary = await t.folder();
  const main = join(REPO, "dist/cli/main.js");
  const child = spawn(process.execPath, [main, "dev", path, "--json", ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit").then(([code, signal]) => String(signal ?? code));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  let [rest, err] = ["", ""];
  const lines: Line[] = [];
  let wake = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    const all = (rest + part).split("\n");
    rest = all.pop() ?? "";
    for (const line of all) lines.push(JSON.parse(line) as Line);
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    err += part;
  });
  return {
    child,
    ended,
    temporary,
    err: () => err,
    async next(event, fits = () => true) {
      for (;;) {
        const at = lines.findIndex((line) => line.event === event && fits(line));
        const [found] = at < 0 ? [] : lines.splice(at, 1);
        if (found) return found;
        const more = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([more, ended.then((how) => Promise.reject(new Error(`${how} ${err}`)))]);
      }
    },
  };
}

const ready = ({ ready }: Line): boolean => ready === true;

/** A driver that says at each network which version it is. */
const version = (n: number): string =>
  plugin("mine", { methods: `createNetwork(nid) { console.log("v${n} " + nid); },`, start: 'console.log("starts");' });

test(
  "calls and lines are shown; an edit is loaded in place, sooner than a start, with the networks; a signal leaves nothing",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "mine/plugin.json": '{ "permissions": { "log": true } }', "mine/index.js": version(1) });
    const begun = performance.now();
    const running = await dev(t, join(root, "mine"));
    const { next, temporary } = running;
    assert.equal((await next("note")).grant, { scope: "local", log: true });
    assert.is((await next("log")).text, "starts");
    assert.match((await next("load")).text, /^mine is loaded, behind (bubblewrap|node); types mine$/);
    const { socket = "" } = await next("note", (line) => line.socket !== undefined);
    await next("note", ready);
    const start = performance.now() - begun;

    assert.equal((await post(socket, "/NetworkDriver.CreateNetwork", { NetworkID: "n" })).body, {});
    assert.is((await next("log")).text, "v1 n");
    const call = await next("call");
    assert.match(call.text, /^mine {2}CreateNetwork {2}200 {2}[\d.]+ ms$/);
    assert.equal([call.method, call.status, call.driver], ["CreateNetwork", 200, "mine"]);

    const took: number[] = [];
    for (const n of [2, 3, 4]) {
      await writeFile(join(root, "mine/index.js"), version(n));
      assert.is((await next("log", ({ text }) => text !== "starts")).text, `v${n} n`, "the network is repeated");
      const { text, ms = Number.POSITIVE_INFINITY } = await next("load");
      assert.match(text, /^mine is loaded again in \d+ ms, networks repeated: "n"; types mine$/);
      took.push(ms);
    }
    // A third of a second where nothing else runs; how busy this machine is, the start shows.
    assert.ok(Math.min(...took) < start, `${took} ms, a start ${start} ms`);

    // Under npx it comes twice.
    running.child.kill("SIGINT");
    running.child.kill("SIGINT");
    assert.is(await running.ended, "0", running.err());
    assert.is(running.err(), "");
    assert.equal(await readdir(temporary), []);
  },
  { ms: 120_000, needs: noBubblewrap },
);

test(
  "what does not load is told at the author's file and line, and the version before keeps serving",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "mine/plugin.json": "{}", "mine/index.js": version(1) });
    const { next } = await dev(t, join(root, "mine"), "--isolation", "thread");
    assert.match((await next("load")).text, /^mine is loaded, in a thread/);
    const { socket = "" } = await next("note", (line) => line.socket !== undefined);
    await next("note", ready);

    const file = join(root, "mine/index.js");
    await writeFile(file, "\nexport const = 1;\n");
    const syntax = await next("refused");
    assert.equal([syntax.code, syntax.file, syntax.line, syntax.serves], ["ERR_PLUGIN_SYNTAX", file, 2, true]);
    assert.match(syntax.text, /index\.js:2: ERR_PLUGIN_SYNTAX: .*; the version before keeps running$/);
    await writeFile(file, version(2).replace("await ", 'throw new Error("boo\\u001b[2J\\nload    forged");\nawait '));
    const thrown = await next("refused");
    assert.equal([thrown.code, thrown.line], ["ERR_PLUGIN_INIT", 4]);
    assert.match(thrown.text, /init threw: .*boo\\u\{1b\}\[2J\\nload/);
    assert.not.match(thrown.text, /\n|\s+at /);
    await post(socket, "/NetworkDriver.CreateNetwork", { NetworkID: "n" });
    assert.is((await next("log", ({ text }) => text !== "starts")).text, "v1 n");
    await writeFile(join(root, "mine/plugin.json"), '{\n"scop": 1}');
    const manifest = await next("refused");
    assert.equal([manifest.code, manifest.file], ["ERR_MANIFEST_INVALID", join(root, "mine/plugin.json")]);

    await writeFile(join(root, "mine/plugin.json"), "{}");
    await writeFile(file, version(3));
    assert.match((await next("load", ({ text }) => text.includes("again"))).text, /networks repeated: "n"/);
  },
  { ms: 120_000 },
);

test(
  "a file that does not load at first is waited for; a manifest that appears is granted",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "mine.js": "export const = 1;\n" });
    const { next } = await dev(t, join(root, "mine.js"), "--isolation", "thread");
    assert.match((await next("note", (line) => line.grant !== undefined)).text, /log, timers, clock, random, store$/);
    const refused = await next("refused");
    assert.equal([refused.file, refused.line, refused.serves], [join(root, "mine.js"), 1, false]);
    await next("note", ready);
    await writeFile(join(root, "mine.js"), version(1));
    await next("load");
    await next("note", (line) => line.socket !== undefined);
    await writeFile(
      join(root, "mine.plugin.json"),
      '{ "permissions": { "log": true, "netlink": { "kinds": ["bridge"] } } }',
    );
    const { text } = await next("note", (line) => line.grant !== undefined);
    assert.match(text, /^granted, as the manifest asks: scope local; log, netlink \{.*"bridge"/);
    await next("load");
    await rm(join(root, "mine.plugin.json"));
    assert.match((await next("note", (line) => line.grant !== undefined)).text, /log, timers, clock, random, store$/);
  },
  { ms: 120_000 },
);

test(
  "of neighbours it loads none",
  async (t) => {
    const root = await t.folder();
    await fill(root, { "mine.js": version(1), "other.js": "export const = 1;\n", "more/plugin.json": "{}" });
    const { next } = await dev(t, join(root, "mine.js"), "--isolation", "thread");
    await next("load", ({ plugin }) => plugin === "mine");
    await next("note", ready);
  },
  { ms: 60_000 },
);

test(
  "no plugin, or wrong use, is one line and the exit code",
  async (t) => {
    const root = await t.folder();
    await mkdir(join(root, "empty"));
    for (const [args, exit, words] of [
      [[join(root, "none.js")], "1", /^\{"ok":false,"error":\{.*"ERR_PLUGIN_FILE".*file or folder not found/],
      [[join(root, "empty"), "--isolation", "none"], "2", /"ERR_USAGE".*--isolation is one of thread/],
    ] as const) {
      const main = join(REPO, "dist/cli/main.js");
      const temporary = await t.folder();
      const child = spawn(process.execPath, [main, "dev", ...args, "--json"], {
        env: { ...process.env, TMPDIR: temporary },
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (part: string) => {
        out += part;
      });
      const [code] = await once(child, "close");
      assert.is(String(code), exit);
      assert.match(out, words);
      assert.is(out.trimEnd().split("\n").length, 1);
      assert.equal(await readdir(temporary), []);
    }
    const inProcess = await cli(["dev", root]);
    assert.is(inProcess.exit, 2);
  },
  { ms: 120_000 },
);

test.run();

/** Raising a wall fails closed: what a policy demands and this machine lacks is said, with what to do; less is taken only when allowed. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import { copyPackage } from "../copy-package.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { house, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: raising a wall");

/** A PATH on which there is nothing but, where given, a "bwrap" that is this script. */
async function path(t: TestContext, bwrap?: string): Promise<{ restore(): void }> {
  const folder = await t.folder();
  chmodSync(folder, 0o755);
  if (bwrap !== undefined) {
    writeFileSync(join(folder, "bwrap"), `#!/bin/sh\n${bwrap}\n`);
    chmodSync(join(folder, "bwrap"), 0o755);
  }
  const before = process.env.PATH;
  const restore = (): void => {
    process.env.PATH = before;
  };
  process.env.PATH = folder;
  t.cleanup(restore);
  return { restore };
}

/** A folder for temporary files; afterwards nothing may be left in it. */
async function temporary(t: TestContext): Promise<string> {
  const folder = await t.folder();
  chmodSync(folder, 0o755);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.cleanup(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    assert.equal(readdirSync(folder), [], "the runtime folder is left");
  });
  return folder;
}

test("demanded and not there: the error names the package and the policy's line; nothing is left", async (t) => {
  await temporary(t);
  await path(t);
  const error = await rejection(raiseWall("bubblewrap", "/etc/bulkhead.config.json"));
  assert.is(error.code, "ERR_ISOLATION_UNAVAILABLE");
  assert.match(error.message, /there is no "bwrap" on PATH; install it \(Debian: apt-get install bubblewrap\)/);
  assert.match(error.message, /"sandbox": "auto" in \/etc\/bulkhead\.config\.json accepts the strongest wall/);
});

test("demanded, but not executable by the account for host processes: the same words", async (t) => {
  await temporary(t);
  await path(t);
  chmodSync(process.env.PATH ?? "", 0o700);
  const error = await rejection(raiseWall("bubblewrap", undefined));
  assert.match(error.message, /there is no "bwrap" on PATH.*; install it \(Debian: apt-get install bubblewrap\)/);
});

for (const [what, script, words] of [
  [
    "namespaces that are not allowed",
    'echo "bwrap: No permissions to create new namespace" >&2; exit 1',
    /bwrap failed \(exit 1\): bwrap: No permissions.*sysctl -w kernel\.unprivileged_userns_clone=1 /,
  ],
  [
    "an option it does not know",
    'echo "usage" >&2; echo "bwrap: Unknown option --disable-userns" >&2; exit 1',
    /bwrap failed \(exit 1\): bwrap: Unknown option --disable-userns; it is too old: bubblewrap 0\.8 /,
  ],
  ["silence", "exit 3", /bwrap failed \(exit 3\): it printed nothing/],
  ["a success in which nothing has run", "exit 0", /bwrap failed \(exit 0\)/],
] as const) {
  test(`a bwrap that fails with ${what}: fails closed, and says so`, async (t) => {
    await temporary(t);
    await path(t, script);
    const error = await rejection(raiseWall("bubblewrap", undefined));
    assert.is(error.code, "ERR_ISOLATION_UNAVAILABLE");
    assert.match(error.message, words);
    assert.match(error.message, /"sandbox": "auto" in the policy/);
  });
}

test('"auto" without bubblewrap is "node", and says why', async (t) => {
  await temporary(t);
  await path(t);
  const wall = await raiseWall("auto", undefined);
  t.cleanup(() => wall.release());
  assert.is(wall.name, "node");
  assert.match(wall.lacks.join(), /there is no "bwrap" on PATH/);
  assert.match(wall.command(320).args.join(" "), /--(experimental-)?permission /);
});

test(
  '"auto" with bubblewrap is bubblewrap, and lacks nothing',
  async (t) => {
    await temporary(t);
    const wall = await raiseWall("auto", undefined);
    t.cleanup(() => wall.release());
    assert.equal([wall.name, wall.lacks], ["bubblewrap", []]);
  },
  { needs: noBubblewrap },
);

test('"node" and "none" are taken as they are, and are not silent about it', async (t) => {
  await temporary(t);
  for (const name of ["node", "none"] as const) {
    const wall = await raiseWall(name, undefined);
    t.cleanup(() => wall.release());
    assert.is(wall.name, name);
    assert.is(wall.lacks.length, 1);
    assert.is(/--(experimental-)?permission/.test(wall.command(320).args.join(" ")), name === "node");
  }
});

test(
  '"node" under root: the host process has an account without rights, and no other group',
  async (t) => {
    const { open } = await house(t, { "a.js": plugin("a") });
    const host = await open({ isolation: "process", policy: { sandbox: "node" } });
    const { state, wall, pid } = row(host, "a");
    assert.equal([state, wall], ["running", "node"]);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const ids = (name: string): string[] => new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1]?.split(/\s+/) ?? [];
    assert.not([...ids("Uid"), ...ids("Gid"), ...ids("Groups")].includes("0"), status);
    assert.match(status, /^CapEff:\s+0+$/m);
  },
  { needs: process.getuid?.() === 0 ? undefined : "only root can give its account away" },
);

/** Root without a right, as in a container that was started without it. */
const lacking = (right: string): readonly string[] => ["--bounding-set", right, "--inh-caps", right];
const tried = spawnSync("setpriv", [...lacking("-setuid,-kill"), "true"], { encoding: "utf8" });
const noSetpriv =
  process.getuid?.() === 0 && tried.status === 0
    ? undefined
    : `needs root, with setpriv (${tried.error?.message ?? tried.stderr})`;

const CALLS = `const { raiseWall } = await import(process.argv[1]);
  const wall = await raiseWall("node");
  console.log(JSON.stringify([wall.name, wall.lacks, wall.command(320).account ?? null]));
  wall.release();`;

for (const [what, right] of [
  ["take no other account", "-setuid,-setgid"],
  ["not end what another account runs", "-kill"],
] as const)
  test(
    `"node" under a root that may ${what}: as root, and says so`,
    async (t) => {
      await temporary(t);
      const module = new URL("../../../dist/isolation/walls/raise.js", import.meta.url).href;
      const args = [...lacking(right), process.execPath, "--input-type=module", "-e", CALLS, module];
      const { stdout, stderr } = spawnSync("setpriv", args, { encoding: "utf8" });
      const [name, lacks, account] = JSON.parse(stdout || JSON.stringify([stderr, [], 1]));
      assert.equal([name, account], ["node", null]);
      assert.match(lacks[1], /^host processes run as root: a trial under another account failed: .*EPERM/);
    },
    { needs: noSetpriv },
  );

test(
  "installed while the host runs: the next load finds it",
  async (t) => {
    const { open } = await house(t, { "a.js": plugin("a") });
    const { restore } = await path(t);
    const host = await open({ isolation: "process" });
    assert.is(row(host, "a").refusal?.code, "ERR_ISOLATION_UNAVAILABLE");
    restore();
    await host.reload("a");
    assert.equal([row(host, "a").state, row(host, "a").wall], ["running", "bubblewrap"]);
  },
  { needs: noBubblewrap },
);

test('a host under "auto" without bubblewrap: plugins run behind "node", and it is said once at the start', async (t) => {
  const { open, log } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  await path(t);
  const host = await open({ isolation: "process", policy: { sandbox: "auto" } });
  assert.equal(
    host.plugins().map(({ state, wall }) => [state, wall]),
    [
      ["running", "node"],
      ["running", "node"],
    ],
  );
  const warned = log.filter(({ level }) => level === "warn");
  assert.is(warned.length, 1);
  assert.match(warned[0]?.text ?? "", /the wall is weakened: .*there is no "bwrap" on PATH/);
});

test("in a worker thread: a plugin that must live apart is refused there, the others run", async (t) => {
  const netlink = { kinds: ["bridge"], prefix: "bhx", subnets: ["10.64.0.0/24"] };
  const { plugins } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.entry).then(async ({ createPluginHost }) => {
      const { plugins, policy } = workerData;
      const logger = { debug() {}, info() {}, warn() {}, error() {} };
      const host = await createPluginHost({ plugins, policy, logger, isolation: "thread", backend: "model" });
      parentPort.postMessage(host.plugins().map(({ state, refusal }) => [state, refusal && refusal.code + ": " + refusal.message]));
      await host.close();
    });`;
  const worker = new Worker(code, {
    eval: true,
    workerData: {
      plugins,
      policy: { plugins: { b: { grant: { netlink } } } },
      entry: import.meta.resolve("#dist/index.js"),
    },
  });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  t.cleanup(async () => void (await worker.terminate()));
  const [a, b] = await new Promise<readonly (readonly [string, string?])[]>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  assert.is(a?.[0], "running");
  assert.is(b?.[0], "refused");
  assert.match(b?.[1] ?? "", /^ERR_ISOLATION_UNAVAILABLE: .*main thread/);
  await ended;
});

test(
  "an ordinary user can start it too, and has no more rights inside",
  async (t) => {
    const folder = await copyPackage();
    const tmp = await t.folder();
    await chmod(tmp, 0o777);
    const { plugins, path: beside } = await house(t, { "a.js": plugin("a") });
    await chmod(join(plugins, ".."), 0o755);
    await chmod(plugins, 0o755);
    const script = beside("run.mjs");
    writeFileSync(
      script,
      `import { readFileSync } from "node:fs";
      import { createPluginHost } from ${JSON.stringify(join(folder, "dist/index.js"))};
      const host = await createPluginHost({ plugins: ${JSON.stringify(plugins)} });
      const [{ state, isolation, wall, pid, refusal }] = host.plugins();
      if (refusal) throw refusal;
      await host.driver("a").createNetwork("n", {});
      const status = readFileSync("/proc/" + pid + "/status", "utf8");
      const field = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)[1].split("\\t");
      console.log(JSON.stringify({ state, isolation, wall, uid: field("Uid")[1], caps: field("CapEff")[0], noNew: field("NoNewPrivs")[0], filter: field("Seccomp")[0] }));
      await host.close();`,
    );
    const root = process.getuid?.() === 0;
    const become = root ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : [];
    const [command = "", ...args] = [...become, process.execPath, script];
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, TMPDIR: tmp, HOME: tmp },
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.cleanup(() => child.kill("SIGKILL"));
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        printed += part;
      });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.is(code, 0, printed);
    const uid = root ? "65534" : String(process.getuid?.());
    assert.equal(JSON.parse(printed), {
      ...{ state: "running", isolation: "process", wall: "bubblewrap" },
      ...{ uid, caps: "0000000000000000", noNew: "1", filter: "2" },
    });
    assert.equal(readdirSync(tmp), []);
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test.run();

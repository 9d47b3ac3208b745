/** `bulkhead serve` as its own process: ready, served, stopped by signals, started again after a kill. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { readServeConfig, settle } from "#dist/cli/serve/settings.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { post } from "../docker/socket.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { REPO } from "../kit/host.js";
import { LEAN } from "../kit/lean.js";
import { plugin } from "../kit/plugins.js";
import { cli } from "./cli.js";

const test = suite("cli/serve");

interface Place {
  readonly plugins: string;
  readonly dockerDir: string;
  readonly config: string;
  readonly data: string;
  readonly policy: string;
  start(...args: string[]): Promise<Daemon>;
}

interface Daemon {
  readonly child: ChildProcess;
  /** The readiness line. */
  readonly ready: string;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  stderr(): string;
}

async function place(t: TestContext): Promise<Place> {
  const root = await t.folder();
  const [plugins, dockerDir, config] = [join(root, "plugins"), join(root, "docker"), join(root, "serve.json")];
  await mkdir(plugins);
  await writeFile(join(plugins, "net.js"), plugin("net"));
  await writeFile(join(root, "policy.json"), "{}");
  await writeFile(
    config,
    JSON.stringify({
      plugins,
      policy: join(root, "policy.json"),
      dataDir: join(root, "data"),
      dockerDir,
      backend: "model",
    }),
  );
  return {
    plugins,
    dockerDir,
    config,
    data: join(root, "data"),
    policy: join(root, "policy.json"),
    async start(...args) {
      const command = [...LEAN, join(REPO, "dist/cli/main.js"), "serve", "--config", config, ...args];
      const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
      let [out, err] = ["", ""];
      const ended = once(child, "exit").then(([code, signal]) => String(signal ?? code));
      t.cleanup(async () => {
        child.kill("SIGKILL");
        await ended;
      });
      child.stderr.setEncoding("utf8").on("data", (part: string) => {
        err += part;
      });
      await new Promise<void>((resolve) => {
        child.stdout.setEncoding("utf8").on("data", (part: string) => {
          out += part;
          if (out.includes("\n")) resolve();
        });
        void ended.then(() => resolve());
      });
      return { child, ready: out, ended, stderr: () => err };
    },
  };
}

test(
  "ready means served, what is dropped in later too; SIGTERM ends it in order, and nothing is left",
  async (t) => {
    const { start, dockerDir, plugins } = await place(t);
    const one = await start();
    const socket = join(dockerDir, "bulkhead-net.sock");
    assert.is(one.ready, `bulkhead ready: 1 plugin(s), sockets ${socket}\n`, one.stderr());
    assert.equal((await post(socket, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
    assert.equal((await post(socket, "/NetworkDriver.CreateNetwork", { NetworkID: "n" })).body, {});
    // It watches, without being told to.
    await writeFile(join(plugins, "late.js"), plugin("late"));
    const late = join(dockerDir, "bulkhead-late.sock");
    await until(() => readdir(dockerDir).then((names) => names.includes("bulkhead-late.sock")), "its socket", 20_000);
    assert.equal((await post(late, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
    one.child.kill("SIGTERM");
    assert.is(await one.ended, "0", one.stderr());
    assert.equal(await readdir(dockerDir), []);
    for (const line of one.stderr().trim().split("\n")) assert.is(JSON.parse(line).name, "bulkhead");
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "an operator's commands and Prometheus find it; nothing of that is left, and --no-control opens nothing",
  async (t) => {
    const { start, data } = await place(t);
    const one = await start("--metrics", "0");
    const ps = await cli(["ps", "--data-dir", data]);
    assert.match(ps.out, /\nnet +running .* \d+ +\d+ MiB/);
    assert.match((await cli(["logs", "--data-dir", data])).out, 'bulkhead: docker: driver "net" is served\n');
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(one.stderr()) ?? [];
    assert.match(await (await fetch(url)).text(), 'bulkhead_plugin_up{plugin="net"} 1');
    one.child.kill("SIGKILL");
    await one.ended;
    const again = await start();
    assert.is((await cli(["restart", "net", "--data-dir", data])).out, "net: running\n");
    again.child.kill("SIGTERM");
    assert.is(await again.ended, "0", again.stderr());
    assert.not((await readdir(data)).includes("control.sock"));
    const without = await start("--no-control");
    assert.is((await cli(["ps", "--data-dir", data])).exit, 3);
    without.child.kill("SIGTERM");
    assert.is(await without.ended, "0");
    const long = await start("--control", join(data, "x".repeat(100)));
    assert.is(await long.ended, "1");
    assert.match(long.stderr(), "too long for a Unix socket");
  },
  { ms: 120_000, needs: noBubblewrap },
);

test(
  "killed, its socket stays and is cleared at the next start; --json, and a flag wins over the file",
  async (t) => {
    const { start, dockerDir } = await place(t);
    const one = await start();
    one.child.kill("SIGKILL");
    assert.is(await one.ended, "SIGKILL");
    assert.equal(await readdir(dockerDir), ["bulkhead-net.sock"]);
    const again = await start("--json");
    const socket = join(dockerDir, "bulkhead-net.sock");
    assert.equal(JSON.parse(again.ready), {
      ready: true,
      sockets: { net: socket },
      plugins: [{ name: "net", state: "running" }],
    });
    assert.match(again.stderr(), /removed sockets that a crashed run had left/);
    assert.equal((await post(socket, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
    again.child.kill("SIGINT");
    assert.is(await again.ended, "0");
    const other = await start("--docker-prefix", "mine-");
    assert.equal(await readdir(dockerDir), ["mine-net.sock"]);
    other.child.kill("SIGTERM");
    assert.is(await other.ended, "0");
  },
  { ms: 90_000, needs: noBubblewrap },
);

test(
  "a second daemon on one socket folder ends at its start, says whose it is and what to do; the first serves on",
  async (t) => {
    const { start, dockerDir, data } = await place(t);
    const one = await start();
    const socket = join(dockerDir, "bulkhead-net.sock");
    const second = await start("--data-dir", `${data}-2`);
    assert.is(await second.ended, "1");
    assert.is(second.ready, "");
    assert.match(second.stderr(), `another bulkhead daemon (process ${one.child.pid}) serves it`);
    assert.match(second.stderr(), "give this daemon another --docker-dir or --docker-prefix");
    assert.equal((await post(socket, "/Plugin.Activate")).body, { Implements: ["NetworkDriver"] });
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "SIGTERM ends it beside connections that are idle or half-finished; at level debug each request has a line",
  async (t) => {
    const { start, dockerDir } = await place(t);
    const one = await start("--log-level", "debug");
    const socket = join(dockerDir, "bulkhead-net.sock");
    for (const text of [
      "",
      "POST /Plugin.Activate HTTP/1.1\r\nHost: a\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ]) {
      const open = createConnection(socket);
      t.cleanup(() => open.destroy());
      open.on("error", () => {});
      await once(open, "connect");
      if (text !== "") open.write(text);
    }
    await post(socket, "/NetworkDriver.CreateNetwork", { NetworkID: "n" });
    const began = performance.now();
    one.child.kill("SIGTERM");
    assert.is(await one.ended, "0", one.stderr());
    assert.ok(performance.now() - began < 10_000, "it took too long");
    const lines = one
      .stderr()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const line = lines.find(({ method }) => method === "/NetworkDriver.CreateNetwork");
    assert.equal([line?.level, line?.driver, line?.status], [20, "net", 200]);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "with no driver to serve it says why and ends with 1; with --allow-empty it waits for one",
  async (t) => {
    const { start, plugins, dockerDir } = await place(t);
    await writeFile(join(plugins, "net.js"), "export function init( {");
    const one = await start();
    assert.equal([await one.ended, one.ready], ["1", ""]);
    assert.match(
      one.stderr(),
      "no driver is in service, so there is nothing to serve: net refused (ERR_PLUGIN_SYNTAX)",
    );
    const waits = await start("--allow-empty");
    assert.match(waits.ready, /^bulkhead ready: 0 plugin\(s\), sockets none; not in service: net refused/);
    await writeFile(join(plugins, "net.js"), plugin("net"));
    await until(() => readdir(dockerDir).then((names) => names.length > 0), "its socket", 20_000);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "with its plugins stopped or revoked by the policy it warns and waits; an edit of the policy serves them at once",
  async (t) => {
    const { start, plugins, policy, dockerDir } = await place(t);
    await writeFile(join(plugins, "waits.js"), plugin("waits"));
    await writeFile(join(plugins, "waits.plugin.json"), '{ "permissions": { "netlink": { "kinds": ["veth"] } } }');
    for (const entry of [{ enabled: false }, { revoked: { log: true }, sha256: "0".repeat(64) }]) {
      await writeFile(policy, JSON.stringify({ plugins: { net: entry } }));
      const one = await start();
      assert.match(one.ready, /^bulkhead ready: 0 plugin\(s\), sockets none; not in service: /, one.stderr());
      const warning = /"level":40,.*no driver is in service \(.*net (stopped|awaiting-grant)/;
      await until(() => warning.test(one.stderr()), "the warning");
      await writeFile(policy, "{}");
      await until(() => readdir(dockerDir).then((names) => names.length > 0), "its socket", 20_000);
      one.child.kill("SIGTERM");
      assert.is(await one.ended, "0");
    }
  },
  { ms: 90_000, needs: noBubblewrap },
);

test("with no plugin at all it ends with 1, whatever the policy says of others", async (t) => {
  const { start, plugins, policy } = await place(t);
  await rm(join(plugins, "net.js"));
  await writeFile(policy, '{ "plugins": { "gone": { "enabled": false } } }');
  const one = await start();
  assert.equal([await one.ended, one.ready], ["1", ""]);
  assert.match(one.stderr(), "the plugins folders contain no plugin");
});

test(
  "SIGHUP reads everything again; SIGUSR1 opens no debugger",
  async (t) => {
    const { start } = await place(t);
    const one = await start();
    one.child.kill("SIGUSR1");
    await until(() => one.stderr().includes("SIGUSR1 is ignored"), "the log to say so");
    one.child.kill("SIGHUP");
    await until(() => one.stderr().includes("the policy and the plugins have been read again"), "the log to say so");
    assert.not.match(one.stderr(), /Debugger listening/);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "a config file or flag that is wrong is named, and nothing starts",
  async (t) => {
    const { start, config } = await place(t);
    for (const [flag, value, words] of [
      ["--answer-ms", "soon", "--answer-ms is a whole number of milliseconds from 100 to 600000"],
      ["--socket-owner", "me", "--socket-owner is UID or UID:GID, in numbers"],
      ["--log-level", "loud", "--log-level is one of debug, info, warn, error"],
      ["--docker-dir", "sockets", '--docker-dir is an absolute path, not "sockets"'],
    ] as const) {
      const wrong = await start(flag, value);
      assert.is(await wrong.ended, "2");
      assert.match(wrong.stderr(), `ERR_USAGE: ${words}`);
    }
    await writeFile(config, '{\n  "dokerDir": "/x"\n}');
    const key = await start();
    assert.is(await key.ended, "1");
    assert.match(key.stderr(), /serve\.json:2:\d+: dokerDir: .*dockerDir/);
    await writeFile(config, '{ "metrics": "x" }');
    const address = await start();
    assert.is(await address.ended, "1");
    assert.match(address.stderr(), /metrics: must be a port, or an IP address and a port, such as 127.+, not "x"/);
    await writeFile(config, JSON.stringify({ cluster: `${config}.none` }));
    const shared = await start();
    assert.is(await shared.ended, "1");
    assert.match(shared.stderr(), /ERR_OPTIONS.*serve\.json\.none: the file does not exist/);
  },
  { ms: 60_000 },
);

test("examples/serve: the config file and the policy are valid, and say what is the default anyway", async () => {
  const folder = join(REPO, "examples/serve");
  const config = await readServeConfig(join(folder, "serve.json"), true);
  assert.equal(settle({}, config), settle({}, {}));
  const policy = join(folder, "bulkhead.config.json");
  assert.ok(parsePolicy(await readFile(policy, "utf8"), policy).plugins?.bridge);
  const unit = await readFile(join(folder, "bulkhead.service"), "utf8");
  assert.match(unit, /^Type=notify$/m);
  assert.match(unit, /^ExecStart=.* bulkhead serve --config \/etc\/bulkhead\/serve\.json$/m);
});

test.run();

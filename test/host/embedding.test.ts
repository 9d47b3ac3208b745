/** Embedding changes nothing global in the platform's process, and leaves nothing behind in it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { assert, suite, type TestContext } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: embedding");

const DIST = new URL("../../../dist/", import.meta.url);

/** A platform that embeds a host, looks at itself before, during and after, and prints what differs. */
const PLATFORM = (plugins: string): string => `
const plugins = ${JSON.stringify(plugins)};
${snapshot.toString()}
// The library is loaded before the first look: what it imports may fill caches, and is looked at separately.
const bare = snapshot();
const { createPluginHost, EndpointConfig, JoinConfig } = await import(${JSON.stringify(new URL("index.js", DIST).href)});
const before = snapshot();
const host = await createPluginHost({ plugins, isolation: "thread", logger: { debug() {}, info() {}, warn() {}, error() {} } });
const driver = host.driver("a");
await driver.createNetwork("n", { a: 1 });
const endpoint = new EndpointConfig();
await driver.createEndpoint("n", "e", endpoint);
await driver.join("n", "e", "/s", new JoinConfig(endpoint));
await driver.leave("n", "e");
await driver.createNetwork("crash").catch(() => {});
await driver.createNetwork("after");
const during = snapshot();
await host.close();
const after = snapshot();
const open = () => process.getActiveResourcesInfo().filter((one) => one !== "Timeout" && one !== "Immediate" && !/^(TTY|Pipe|FSReq)/.test(one));
for (let n = 0; n < 200 && open().length > 0; n++) await new Promise((resolve) => setTimeout(resolve, 5));
const handles = open();
process.stdout.write(JSON.stringify({ loading: differs(bare, before), during: differs(before, during), after: differs(before, after), handles, size: before.size }));
function differs(one, other) {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].filter((key) => !Object.is(one.get(key), other.get(key)));
}
`;

/** Everything global in this realm and process, by name: property descriptors' identities, listeners, settings. */
function snapshot(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (path: string, value: unknown, depth: number): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
    const key = `${path}#`;
    if (found.has(key)) return;
    found.set(`${key}prototype`, Object.getPrototypeOf(value));
    found.set(`${key}extensible`, Object.isExtensible(value));
    found.set(key, Reflect.ownKeys(value).map(String).join());
    for (const name of Reflect.ownKeys(value)) {
      const own = Object.getOwnPropertyDescriptor(value, name);
      if (!own) continue;
      const at = `${path}.${String(name)}`;
      found.set(`${at}:flags`, `${own.writable} ${own.enumerable} ${own.configurable}`);
      found.set(`${at}:get`, own.get);
      found.set(`${at}:set`, own.set);
      found.set(`${at}:value`, own.value);
      const intrinsic = /^[A-Z]/.test(String(name)) || name === "prototype" || typeof own.value === "function";
      if (depth > 0 && intrinsic && own.value !== globalThis) walk(at, own.value, depth - 1);
    }
  };
  // Node makes some of its globals on first use, and puts them in place of their getters. From Node 25 on, the first use of localStorage
  // prints a warning.
  for (const name of Reflect.ownKeys(globalThis)) if (name !== "localStorage") void Reflect.get(globalThis, name);
  walk("globalThis", globalThis, 3);
  for (const [name, sample] of Object.entries({
    asyncFunction: async () => {},
    generator: function* () {},
    asyncGenerator: async function* () {},
    arrayIterator: [][Symbol.iterator](),
    regExpIterator: /a/[Symbol.matchAll]("a"),
    typedArray: Uint8Array,
  })) {
    walk(`%${name}%`, Object.getPrototypeOf(sample), 2);
  }
  const { process } = globalThis;
  for (const event of [
    "unhandledRejection",
    "uncaughtException",
    "uncaughtExceptionMonitor",
    "warning",
    "exit",
    "beforeExit",
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
    "SIGUSR1",
    "SIGUSR2",
    "message",
    "disconnect",
    "multipleResolves",
    "rejectionHandled",
    "worker",
    ...process.eventNames().map(String),
  ]) {
    found.set(`listeners ${event}`, process.listenerCount(event));
  }
  found.set("events", process.eventNames().map(String).sort().join());
  found.set("env", JSON.stringify(process.env));
  found.set("cwd", process.cwd());
  found.set("argv", JSON.stringify(process.argv));
  found.set("execArgv", JSON.stringify(process.execArgv));
  found.set("umask", process.umask());
  found.set("title", process.title);
  found.set("exitCode", process.exitCode);
  found.set("uncaughtCapture", process.hasUncaughtExceptionCaptureCallback());
  found.set("stackTraceLimit", Error.stackTraceLimit);
  found.set("prepareStackTrace", Error.prepareStackTrace);
  found.set(
    "stdout listeners",
    process.stdout
      .eventNames()
      .map((one) => `${String(one)} ${process.stdout.listenerCount(one)}`)
      .join(),
  );
  found.set(
    "stderr listeners",
    process.stderr
      .eventNames()
      .map((one) => `${String(one)} ${process.stderr.listenerCount(one)}`)
      .join(),
  );
  return found;
}

const CRASHING = plugin("a", {
  methods: `createEndpoint(_n, _e, info) { info.addInterface(0, "02:42:00:00:00:01", "10.9.0.2/24", ""); },
    createNetwork(nid) { if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); } },`,
});

interface Ended {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

/** Runs a script as a program of its own. */
async function platform(
  t: TestContext,
  script: string,
): Promise<{ readonly child: ChildProcess; readonly ended: Promise<Ended> }> {
  const file = `${await t.folder()}/platform.mjs`;
  await writeFile(file, script);
  const child = spawn(process.execPath, [file], { cwd: fileURLToPath(DIST), stdio: ["ignore", "pipe", "pipe"] });
  t.cleanup(() => child.kill("SIGKILL"));
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return { child, ended: once(child, "close").then(([code]) => ({ out, err, code })) };
}

test("nothing global differs, before, while and after a host runs; and the process ends by itself", async (t) => {
  const { plugins } = await house(t, {
    "a.js": CRASHING,
    "broken.js": "nonsense(",
    "spin.js": "export function init() { throw 1; }",
  });
  const { ended } = await platform(t, PLATFORM(plugins));
  const { out, err, code } = await ended;
  assert.is(err, "");
  assert.is(code, 0);
  const seen = JSON.parse(out) as {
    loading: string[];
    during: string[];
    after: string[];
    handles: string[];
    size: number;
  };
  assert.ok(seen.size > 2000, `it looked at ${seen.size} things`);
  assert.equal(seen.loading, []);
  assert.equal(seen.during, []);
  assert.equal(seen.after, []);
  assert.equal(seen.handles, []);
});

const OPEN = (plugins: string, rest: string): string => `
import { createPluginHost } from ${JSON.stringify(new URL("index.js", DIST).href)};
const host = await createPluginHost({ plugins: ${JSON.stringify(plugins)}, isolation: "thread" });
await host.driver("a").createNetwork("n");
process.stdout.write("up");
${rest}
`;

test("an open host keeps its process alive, as an open server does", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  const { child, ended } = await platform(t, OPEN(plugins, ""));
  await once(child.stdout as NodeJS.ReadableStream, "data");
  const early = await Promise.race([
    ended.then(() => "ended"),
    new Promise((resolve) => setTimeout(resolve, 300, "open")),
  ]);
  assert.is(early, "open");
  child.kill("SIGTERM");
  await ended;
});

test("process.exit with an open host ends at once, and so do its workers", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  const { ended } = await platform(t, OPEN(plugins, "process.exit(3);"));
  assert.equal(await ended, { out: "up", err: "", code: 3 });
});

test("the platform's own crash is its own: an uncaught error ends it as ever", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  const { ended } = await platform(t, OPEN(plugins, "setTimeout(() => { throw new Error('mine'); });"));
  const { code, err } = await ended;
  assert.is(code, 1);
  assert.match(err, /Error: mine/);
});

test("a closed host lets its process end, watching or not", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  for (const watch of [false, true]) {
    const script = OPEN(plugins, "await host.close();").replace(
      'isolation: "thread"',
      `isolation: "thread", watch: ${watch}`,
    );
    const { ended } = await platform(t, script);
    assert.equal(await ended, { out: "up", err: "", code: 0 });
  }
});

test.run();

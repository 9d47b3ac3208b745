import type { Link, LinkEnd } from "#dist/isolation/link.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { routeHeader } from "#dist/protocol/frame.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { idle } from "../kit/process.js";
import { bootstrapFile, rawBootstrapFile } from "./bootstrap-file.js";

const test = suite("isolation: threads");
const wanted = { plugin: "p", memoryMb: 32 };

function launcherFor(t: TestContext, options: ConstructorParameters<typeof ThreadLauncher>[0] = {}): ThreadLauncher {
  const launcher = new ThreadLauncher(options);
  t.cleanup(() => launcher.close());
  return launcher;
}

/** The link's end, told once or the array grows. */
function ends(link: Link): LinkEnd[] {
  const told: LinkEnd[] = [];
  link.onEnd = (end) => told.push(end);
  return told;
}

test("a worker comes up, a spare is kept, the next launch takes it", async (t) => {
  const launcher = launcherFor(t);
  assert.is(launcher.live(), 0);
  const first = await launcher.launch(wanted);
  await until(() => launcher.live() === 2, "the spare");
  // The spare's hello: a launch that takes it waits for nothing.
  await idle();
  const started = performance.now();
  const second = await launcher.launch(wanted);
  const ms = performance.now() - started;
  assert.ok(ms < 15, `taking a spare took ${ms} ms`);
  assert.is.not(first.route, second.route);
  await until(() => launcher.live() === 3, "the next spare");
});

test("without spares there is one thread a launch", async (t) => {
  const launcher = launcherFor(t, { spares: 0 });
  await launcher.launch(wanted);
  await launcher.launch(wanted);
  assert.is(launcher.live(), 2);
});

test("told that one will be wanted, it makes one ready, and the launch takes that, ready or not", async (t) => {
  const launcher = launcherFor(t, { spares: 0 });
  launcher.warm(32);
  launcher.warm(32);
  const first = await launcher.launch(wanted);
  assert.is(launcher.live(), 1);
  launcher.warm(32);
  await until(() => launcher.live() === 2, "the next");
  const second = await launcher.launch(wanted);
  assert.is(launcher.live(), 2);
  assert.is.not(first.route, second.route);
});

test("each memory class has workers of its own; over the largest is the largest", async (t) => {
  const launcher = launcherFor(t, { spares: 0 });
  for (const memoryMb of [1, 16, 17, 256, 4096]) await launcher.launch({ plugin: "p", memoryMb });
  assert.is(launcher.live(), 5);
});

test("killed: the end is told once, and the thread ends", async (t) => {
  const launcher = launcherFor(t, { spares: 0 });
  const link = await launcher.launch(wanted);
  const told = ends(link);
  link.kill("enough");
  link.kill("again");
  link.send("nobody hears it");
  assert.equal(told, [{ how: "killed", detail: "enough" }]);
  await until(() => launcher.live() === 0, "the thread's end");
  assert.is(told.length, 1);
});

for (const [name, body] of [
  ["exits", "setTimeout(() => process.exit(3), 20);"],
  ["throws", `setTimeout(() => { throw new Error("mine"); }, 20);`],
  ["throws what is not an error", "setTimeout(() => { throw null; }, 20);"],
  ["rejects", `setTimeout(() => Promise.reject(new Error("mine")), 20);`],
] as const) {
  test(`a worker that ${name} is told as an exit, once`, async (t) => {
    const launcher = launcherFor(t, { spares: 0, bootstrap: await bootstrapFile(t, body) });
    const told = ends(await launcher.launch(wanted));
    await until(() => told.length > 0 && launcher.live() === 0, "its end");
    assert.is(told.length, 1);
    assert.is(told[0]?.how, "exit");
  });
}

test("a task that returns ends its thread: no other plugin is given it", async (t) => {
  const bootstrap = await bootstrapFile(t, "return new Promise((resolve) => setTimeout(resolve, 20));");
  const launcher = launcherFor(t, { spares: 0, bootstrap });
  const told = ends(await launcher.launch(wanted));
  await until(() => told.length > 0, "its end");
  assert.is(told[0]?.how, "exit");
  await until(() => launcher.live() === 0, "the thread's end");
});

test("a worker out of its memory class is told so", async (t) => {
  const body = `setTimeout(() => { const all = []; for (;;) all.push({ a: [all.length], b: { c: all.length } }); }, 20);`;
  const launcher = launcherFor(t, { spares: 0, bootstrap: await bootstrapFile(t, body) });
  const told = ends(await launcher.launch({ plugin: "p", memoryMb: 16 }));
  await until(() => told.length > 0, "its end", 15_000);
  assert.equal(told, [{ how: "memory", detail: "out of memory" }]);
  await until(() => launcher.live() === 0, "the thread's end");
});

const hello = (fields: string): string =>
  `module.exports = ({ port, route }) => {
    port.postMessage(route.toString(16).padStart(8, "0") + JSON.stringify([0, ${fields}]));
    return new Promise(() => {});
  };`;

for (const [name, source, words] of [
  [
    "of another protocol",
    hello(`{ kind: "hello", protocol: 2, runtime: "9.9.9", thread: 1 }`),
    /speaks protocol 2 of runtime 9\.9\.9/,
  ],
  ["that says something else first", hello(`{ kind: "started" }`), /not a hello/],
  ["that says hello wrongly", hello(`{ kind: "hello" }`), /protocol version/],
  [
    "that posts no text",
    "module.exports = ({ port }) => { port.postMessage(null); return new Promise(() => {}); };",
    /not text/,
  ],
  ["that fails to load", `throw new Error("broken");`, /broken/],
  ["that exits at once", "process.exit(1);", /no worker became ready: its thread ended/],
] as const) {
  test(`a worker ${name} is refused: ERR_PLUGIN_START, with the plugin and why`, async (t) => {
    const launcher = launcherFor(t, { spares: 0, bootstrap: await rawBootstrapFile(t, source) });
    const error = await rejection(launcher.launch({ plugin: "whose", memoryMb: 32 }));
    assert.is(error.code, "ERR_PLUGIN_START");
    assert.match(error.message, 'plugin "whose"');
    assert.match(error.message, words);
    await until(() => launcher.live() === 0, "the thread's end");
  });
}

test("frames go both ways, under the link's own route", async (t) => {
  const bootstrap = await bootstrapFile(t, `port.on("message", (text) => port.postMessage(text + "!"));`);
  const launcher = launcherFor(t, { spares: 0, bootstrap });
  const links = await Promise.all([launcher.launch(wanted), launcher.launch(wanted)]);
  for (const link of links) {
    const heard = new Promise((resolve) => {
      link.onFrame = resolve;
    });
    link.send(`${routeHeader(link.route)}[]`);
    assert.is(await heard, `${routeHeader(link.route)}[]!`);
  }
});

test("the cell is read as the worker wrote it", async (t) => {
  const body = "const words = new Int32Array(cell); Atomics.store(words, 0, -1); Atomics.store(words, 1, 77);";
  const launcher = launcherFor(t, { spares: 0, bootstrap: await bootstrapFile(t, body) });
  const { cell } = await launcher.launch(wanted);
  await until(() => cell.started() === 77, "the cell");
  assert.is(cell.running(), -1);
});

test("close ends all, also those that are being started or loop, and tells their links", async (t) => {
  const launcher = new ThreadLauncher({ bootstrap: await bootstrapFile(t, "setTimeout(() => { for (;;); }, 10);") });
  const told = ends(await launcher.launch(wanted));
  const pending = launcher.launch(wanted).catch(() => {});
  await launcher.close();
  await pending;
  assert.is(launcher.live(), 0);
  assert.is(told.length, 1);
  assert.is(told[0]?.how, "killed");
  const error = await rejection(launcher.launch(wanted));
  assert.is(error.code, "ERR_PLUGIN_START");
  assert.match(error.message, "is closing");
  await launcher.close();
  assert.is(launcher.live(), 0);
});

test("nothing of a worker is left after it: handles, listeners, threads", async (t) => {
  const launcher = launcherFor(t, { spares: 0, bootstrap: await bootstrapFile(t, "") });
  const round = async (): Promise<void> => {
    const link = await launcher.launch(wanted);
    link.kill("done");
    await until(() => launcher.live() === 0, "its end");
  };
  const count = (): number => process.getActiveResourcesInfo().length;
  for (let i = 0; i < 3; i++) await round();
  const before = count();
  for (let i = 0; i < 25; i++) await round();
  await until(() => count() <= before + 1, `the handles to go: ${before} before, ${count()} now`);
});

test.run();

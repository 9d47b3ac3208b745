/** Isolation at the host: the safe one is the default, a manifest only strengthens it, and what cannot be raised is never silently less. */
import { Worker } from "node:worker_threads";
import { assert, suite } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: isolation");

test(
  "none named: host processes behind bubblewrap, shared, with no warning",
  async (t) => {
    const { open, log } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
    const host = await open({ isolation: undefined as never });
    const [a, b] = host.plugins();
    assert.equal([a?.state, a?.isolation, a?.wall], ["running", "process", "bubblewrap"]);
    assert.is(b?.pid, a?.pid);
    assert.ok(a?.pid !== undefined && a.pid !== process.pid);
    assert.equal(
      log.filter(({ level }) => level === "warn" || level === "error"),
      [],
    );
    await host.driver("a").createNetwork("n", {});
  },
  { needs: noBubblewrap },
);

test("thread named: no warning, no process", async (t) => {
  const { open, log } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  assert.equal([row(host, "a").isolation, row(host, "a").wall, row(host, "a").pid], ["thread", undefined, undefined]);
  assert.equal(
    log.filter(({ level }) => level === "warn" || level === "error"),
    [],
  );
});

test(
  "a manifest, a policy's entry and its defaults: the operator's word, or a stronger one of the manifest's",
  async (t) => {
    const { open } = await house(t, {
      "a.js": plugin("a"),
      "a.plugin.json": '{ "isolation": "dedicated" }',
      "b.js": plugin("b"),
      "c.js": plugin("c"),
      "c.plugin.json": '{ "isolation": "thread" }',
    });
    const host = await open({
      isolation: "process",
      policy: { plugins: { b: { isolation: "thread" }, c: {} } },
    });
    assert.equal(
      ["a", "b", "c"].map((id) => [row(host, id).state, row(host, id).isolation]),
      [
        ["running", "dedicated"],
        ["running", "thread"],
        ["running", "process"],
      ],
    );
    assert.is.not(row(host, "a").pid, row(host, "c").pid);
  },
  { needs: noBubblewrap },
);

test(
  "netlink is granted: a process of its own, whatever anybody says",
  async (t) => {
    const netlink = { kinds: ["bridge"], prefix: "bhx", subnets: ["10.64.0.0/24"] } as const;
    const { open } = await house(t, { "a.js": plugin("a") });
    const host = await open({
      backend: "model",
      policy: { plugins: { a: { grant: { netlink }, isolation: "thread" } } },
    });
    assert.equal([row(host, "a").state, row(host, "a").isolation], ["running", "dedicated"]);
  },
  { needs: noBubblewrap },
);

test("no bwrap on PATH: the plugin does not start, and the message says what to install and which line weakens the wall", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  t.cleanup(() => {
    process.env.PATH = before;
  });
  const host = await open({ isolation: undefined as never });
  const { state, refusal } = row(host, "a");
  assert.equal([state, refusal?.code], ["refused", "ERR_ISOLATION_UNAVAILABLE"]);
  assert.match(refusal?.message ?? "", /apt-get install bubblewrap.*"sandbox": "auto" in the policy/);
});

test("weaker walls are said at every start", async (t) => {
  for (const [sandbox, words] of [
    ["node", /weakened.*permission flags alone/],
    ["none", /weakened.*without any wall/],
  ] as const) {
    const { open, log } = await house(t, { "a.js": plugin("a") });
    const host = await open({ isolation: "process", policy: { sandbox } });
    assert.equal([row(host, "a").state, row(host, "a").wall], ["running", sandbox]);
    assert.is(log.filter(({ level, text }) => level === "warn" && words.test(text)).length, 1);
    await host.driver("a").createNetwork("n", {});
  }
});

test("inside a worker thread: a walled isolation is refused with a reason, thread is not", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData.entry).then(async ({ createPluginHost }) => {
      const told = [];
      for (const isolation of [undefined, "process", "dedicated", "thread"]) {
        try {
          const host = await createPluginHost({ plugins: workerData.plugins, ...(isolation && { isolation }) });
          told.push(host.plugins()[0].state);
          await host.close();
        } catch (error) { told.push(error.code + ": " + error.message); }
      }
      parentPort.postMessage(told);
    });`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { plugins, entry: import.meta.resolve("#dist/index.js") },
  });
  t.cleanup(async () => void (await worker.terminate()));
  const told = await new Promise<readonly string[]>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  for (const one of told.slice(0, 3)) assert.match(one, /^ERR_ISOLATION_UNAVAILABLE: .*main thread/);
  assert.is(told[3], "running");
});

test.run();

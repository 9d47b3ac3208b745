/** Plugins that share a host process with one that misbehaves: what they are asked is answered, and they part from it. */
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../harness.js";
import { house, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: neighbours");

/** `createNetwork("bad")` does what `bad` says; an answer of `endpointOperInfo` never comes from its worker number `mute`. */
const driver = (name: string, bad = "", mute = 0): string =>
  plugin(name, {
    start: `const worker = ((await powers.store.get("workers")) ?? 0) + 1; await powers.store.set("workers", worker);`,
    methods: `createNetwork(nid) { if (nid === "bad") { ${bad} } },
    endpointOperInfo: (nid, eid) => worker === ${mute} ? new Promise(() => {}) : { eid, worker },`,
  });

const ABORT = "new Array(5e7).fill(0);";
/** Some seconds inside V8, which looks at no interrupt. */
const NATIVE = `const n = 2 ** 18; "a".repeat(n).indexOf("a".repeat(n / 4) + "b" + "a".repeat(n / 4)); for (;;);`;

test(
  "a neighbour aborts the process: a read in flight is asked again and answered, a create is told that its outcome is unknown",
  async (t) => {
    const { open } = await house(t, {
      "bad.js": driver("bad", ABORT),
      "good.js": driver("good", "return new Promise(() => {});", 1),
    });
    const policy = { defaults: { timeouts: { default: 30_000 } } };
    const host = await open({ isolation: "process", policy });
    const [bad, good] = [host.driver("bad"), host.driver("good")];
    await good.createNetwork("n");
    await good.createEndpoint("n", "e", new EndpointConfig());
    assert.is(row(host, "good").pid, row(host, "bad").pid);
    const read = good.endpointOperInfo("n", "e");
    const create = rejection(good.createNetwork("bad"));
    const aborted = rejection(bad.createNetwork("bad"));
    assert.equal({ ...(await read) }, { eid: "e", worker: 2 });
    assert.is((await create).code, "ERR_OUTCOME_UNKNOWN");
    assert.is((await aborted).code, "ERR_OUTCOME_UNKNOWN");
    assert.is(row(host, "good").counters.restarts, 1);
    assert.is(row(host, "good").counters.errors, 1);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "a neighbour's worker cannot be ended: the others move to another process, and lose no call",
  async (t) => {
    const { open } = await house(t, { "bad.js": driver("bad", NATIVE), "good.js": driver("good") });
    const host = await open({ isolation: "process", policy: { plugins: { bad: { timeouts: { default: 300 } } } } });
    const good = host.driver("good");
    await good.createNetwork("n");
    await good.createEndpoint("n", "e", new EndpointConfig());
    const { pid } = row(host, "good");
    assert.is(row(host, "bad").pid, pid);
    const blocked = rejection(host.driver("bad").createNetwork("bad"));
    await until(
      async () => (await good.endpointOperInfo("n", "e")).eid === "e" && row(host, "good").pid !== pid,
      "another process",
      20_000,
    );
    assert.is((await blocked).code, "ERR_DRIVER_TIMEOUT");
    await until(
      () => row(host, "bad").state === "running" && row(host, "bad").pid !== pid,
      "the bad one's restart",
      20_000,
    );
    assert.is.not(row(host, "bad").pid, row(host, "good").pid);
    assert.equal(row(host, "good").counters.restarts, 0);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test(
  "a plugin that has crashed twice runs alone, and so does one that could not be loaded",
  async (t) => {
    const { open, put } = await house(t, {
      "bad.js": driver("bad", `setTimeout(() => { throw new Error("crash"); }, 0); return new Promise(() => {});`),
      "good.js": driver("good"),
      "worse.js": `throw new Error("at load"); export function init() {}`,
    });
    const host = await open({ isolation: "process" });
    const { pid } = row(host, "good");
    for (let crash = 0; crash < 2; crash++) {
      assert.is(row(host, "bad").isolation, "process");
      const restarted = new Promise((resolve) => host.on("plugin:restarted", resolve));
      await rejection(host.driver("bad").createNetwork("bad"));
      await restarted;
    }
    assert.is(row(host, "worse").state, "refused");
    await put({ "worse.js": driver("worse") });
    await host.reload("worse");
    assert.is(row(host, "good").pid, pid);
    assert.is(new Set(["good", "bad", "worse"].map((id) => row(host, id).pid)).size, 3);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test.run();

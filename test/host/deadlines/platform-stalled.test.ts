/** The platform's own loop stands still (a long collection, a slow disk, a machine that slept): nobody's plugin is ended for that. */
import { assert, suite } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host/deadlines: the platform stalls");

const GOOD = plugin("good");

/** Blocks this thread without using a processor. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

for (const isolation of ["thread", "process", "dedicated"] as const) {
  const needs = isolation === "thread" ? undefined : noBubblewrap;

  test(
    `${isolation}: with a call on its way, longer than a worker may block`,
    async (t) => {
      const { open } = await house(t, { "good.js": GOOD });
      const host = await open({ isolation });
      for (let n = 0; n < 3; n++) {
        const call = host.driver("good").createNetwork(`n${n}`);
        await new Promise((resolve) => process.nextTick(resolve));
        // The worker answers meanwhile.
        standStill(1300);
        await call;
      }
      await host.driver("good").deleteNetwork("n0");
      assert.is(row(host, "good").counters.restarts, 0);
    },
    { needs },
  );
}

test("in its own callback, for longer than a plugin's init may take", async (t) => {
  const { open } = await house(t, { "good.js": GOOD });
  const callback = { registerDriver: () => standStill(1300) };
  const host = await open({
    isolation: "thread",
    callback,
    policy: { plugins: { good: { timeouts: { init: 1000 } } } },
  });
  assert.is(row(host, "good").state, "running", row(host, "good").refusal?.message);
  assert.is(row(host, "good").counters.restarts, 0);
});

test("again and again, while an init hangs: it is refused all the same", async (t) => {
  const { open } = await house(t, {
    "hangs.js": plugin("hangs", { end: "await new Promise(() => {});" }),
  });
  let stalls: NodeJS.Timeout | undefined;
  t.cleanup(() => clearInterval(stalls));
  const callback = {
    registerDriver() {
      stalls = setInterval(() => standStill(100), 5);
    },
  };
  const policy = { plugins: { hangs: { timeouts: { init: 1000 } } } };
  const host = await open({ isolation: "thread", callback, policy });
  assert.is(row(host, "hangs").refusal?.code, "ERR_PLUGIN_INIT_TIMEOUT");
});

test(
  "longer than a host process may take to answer a ping, again and again",
  async (t) => {
    const { open } = await house(t, { "good.js": GOOD });
    const host = await open({ isolation: "process" });
    const { pid } = row(host, "good");
    for (let n = 0; n < 3; n++) {
      await new Promise((resolve) => setImmediate(resolve));
      standStill(2300);
    }
    await host.driver("good").createNetwork("n");
    assert.is(row(host, "good").pid, pid);
    assert.is(row(host, "good").counters.restarts, 0);
  },
  { needs: noBubblewrap },
);

test.run();

/** What one plugin may use, seen from outside its process where nobody in it can forge the figure: resident memory and the processor. */
import { assert, suite, until } from "../harness.js";
import { house, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: budgets");

/** `createNetwork` does what `code` says, and answers at once. */
const driver = (name: string, code = ""): string =>
  plugin(name, {
    start: "const held = [];",
    methods: `createNetwork(nid, options, ctx) { if (!ctx.replay) { ${code} } },`,
  });

/** Between the watched limit of its process and the hard one, a little every few milliseconds. */
const GROW = `setInterval(() => { if (held.length < 27) held.push(new Uint8Array(8 * 1048576).fill(1)); }, 5);`;
/** A third of a core and more, in turns so short that no deadline and no block is in question. */
const BURN = `setInterval(() => { for (const end = Date.now() + 40; Date.now() < end; ); }, 100);`;

for (const isolation of ["dedicated", "process"] as const) {
  test(
    `${isolation}: more of the processor than its share, beyond its calls: slowed down, then ended, then back; its neighbour stays`,
    async (t) => {
      const { open, log } = await house(t, { "bad.js": driver("bad", BURN), "good.js": driver("good") });
      const host = await open({ isolation, policy: { plugins: { bad: { limits: { cpuPercent: 5 } } } } });
      const told: string[] = [];
      host.on("plugin:restarting", ({ plugin, code }) => told.push(`${plugin} ${code}`));
      const back = new Promise((resolve) => host.on("plugin:restarted", resolve));
      await host.driver("bad").createNetwork("n");
      await until(
        () => log.some(({ text }) => /is throttled: it uses more than 5 % of one core/.test(text)),
        "that it is throttled",
        25_000,
      );
      assert.equal(told, []);
      await back;
      assert.equal(told, ["bad ERR_PLUGIN_CPU"]);
      assert.is(row(host, "bad").state, "running");
      await host.driver("good").createNetwork("n");
    },
    { ms: 60_000, needs: noBubblewrap },
  );
}

test(
  "resident memory beyond what its process may have: it is ended for memory, and back; others have not noticed",
  async (t) => {
    const { open } = await house(t, { "bad.js": driver("bad", GROW), "good.js": driver("good") });
    const host = await open({ isolation: "dedicated" });
    const { pid } = row(host, "good");
    const restarting = new Promise<{ readonly plugin: string; readonly code?: string }>((resolve) =>
      host.on("plugin:restarting", resolve),
    );
    const back = new Promise((resolve) => host.on("plugin:restarted", resolve));
    await host.driver("bad").createNetwork("n");
    const { plugin, code } = await restarting;
    assert.equal([plugin, code], ["bad", "ERR_PLUGIN_MEMORY"]);
    await back;
    assert.is(row(host, "good").pid, pid);
    assert.is(row(host, "good").counters.restarts, 0);
  },
  { ms: 30_000, needs: noBubblewrap },
);

test.run();

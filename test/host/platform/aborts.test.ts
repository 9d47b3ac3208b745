/** A host process that ends: all plugins are back soon, by themselves; suspects run alone; another policy is another wall. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { PluginHost } from "#dist/index.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: host processes that end");
const IDS = ["a", "b", "c"] as const;
const FILES = Object.fromEntries(IDS.map((id) => [`${id}.js`, plugin(id)]));
const needs = noBubblewrap;

/** Ends the process of a plugin as an abort does; resolves when these are back. */
async function end(host: PluginHost, id: string, back: readonly string[]): Promise<void> {
  const restarted = back.map((one) => next(host, "plugin:restarted", (event) => event.plugin === one));
  process.kill(row(host, id).pid as number, "SIGKILL");
  await Promise.all(restarted);
}

/** The processes behind bubblewrap that this one has started, itself or through its spawner. */
function walled(): readonly number[] {
  const children = (pid: number): readonly number[] => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
      return text.trim().split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  };
  const command = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1");
    } catch {
      return "";
    }
  };
  return [process.pid, ...children(process.pid)]
    .flatMap(children)
    .filter((pid) => command(pid).startsWith("bwrap"))
    .flatMap(children);
}

const where = (host: PluginHost): unknown[] => IDS.map((id) => row(host, id).isolation);

test(
  "once: all with a clean record share a process again; twice within a minute: all that were there live alone",
  async (t) => {
    const { open } = await house(t, FILES);
    const host = await open({ isolation: "process" });
    for (const id of IDS) await host.driver(id).createNetwork(`${id}1`);
    await end(host, "a", IDS);
    assert.equal(where(host), ["process", "process", "process"]);
    assert.is(new Set(IDS.map((id) => row(host, id).pid)).size, 1);
    await end(host, "a", IDS);
    assert.equal(where(host), ["dedicated", "dedicated", "dedicated"]);
    assert.is(new Set(IDS.map((id) => row(host, id).pid)).size, 3);
    for (const id of IDS) {
      assert.is(row(host, id).state, "running");
      assert.is((await rejection(host.driver(id).createNetwork(`${id}1`))).code, "ERR_NETWORK_EXISTS");
      await host.driver(id).deleteNetwork(`${id}1`);
    }
    const before = IDS.map((id) => row(host, id).pid);
    await end(host, "b", ["b"]);
    const after = IDS.map((id) => row(host, id).pid);
    assert.equal([after[0], after[2]], [before[0], before[2]], "nobody else's process ended");
  },
  { needs, ms: 60_000 },
);

test(
  "plugins that have crashed before have no clean record: they share processes with each other only, and alone after the first end; the others do not",
  async (t) => {
    const crash = `createNetwork(nid, _, ctx) { if (nid === "crash" && !ctx.replay) setTimeout(() => { throw new Error("stray"); }, 0); },`;
    const { open } = await house(t, {
      ...FILES,
      "b.js": plugin("b", { methods: crash }),
      "c.js": plugin("c", { methods: crash }),
    });
    const host = await open({ isolation: "process" });
    for (const id of ["b", "c"]) {
      const back = next(host, "plugin:restarted");
      await host
        .driver(id)
        .createNetwork("crash")
        .catch(() => {});
      assert.is((await back).plugin, id);
      assert.is(row(host, id).isolation, "process", "one crash of a worker is not a reason");
    }
    assert.is(row(host, "b").pid, row(host, "c").pid);
    assert.is.not(row(host, "a").pid, row(host, "b").pid);
    await end(host, "b", ["b", "c"]);
    assert.equal(where(host), ["process", "dedicated", "dedicated"]);
  },
  { needs, ms: 60_000 },
);

test(
  "a replacement stands ready before it is needed, for either kind of process",
  async (t) => {
    for (const isolation of ["process", "dedicated"] as const) {
      const { open } = await house(t, { "a.js": plugin("a") });
      const host = await open({ isolation }, {});
      await until(() => walled().length >= 2, "a spare beside it", 30_000);
      const running = walled();
      await end(host, "a", ["a"]);
      assert.ok(running.includes(row(host, "a").pid as number), `${isolation}: the next one ran before`);
      await host.close();
    }
  },
  { needs, ms: 60_000 },
);

test(
  "the policy demands another wall while the host runs: what is loaded from then on runs behind it, and this is reported",
  async (t) => {
    const { open, path, log } = await house(t, FILES);
    const file = path("policy.json");
    const policy = (text: object): Promise<void> => writeFile(file, JSON.stringify(text));
    await policy({ sandbox: "none" });
    const host = await open({ isolation: "process", policy: file });
    const walls = (): unknown[] => IDS.map((id) => row(host, id).wall);
    assert.equal(walls(), ["none", "none", "none"]);
    const first = row(host, "a").pid as number;
    await policy({ sandbox: "bubblewrap" });
    await host.reload("a");
    assert.equal(walls(), ["bubblewrap", "none", "none"]);
    await end(host, "b", ["b", "c"]);
    assert.equal(walls(), ["bubblewrap", "bubblewrap", "bubblewrap"], "nor does anybody come back behind the old one");
    await until(() => !readdirSync("/proc").includes(String(first)), "the end of the process behind no wall");
    const warnings = (): number => log.filter(({ text }) => text.startsWith("the wall is weakened")).length;
    assert.is(warnings(), 1);
    await policy({ sandbox: "none" });
    await host.reload("c");
    assert.equal(walls(), ["bubblewrap", "bubblewrap", "none"]);
    assert.is(warnings(), 2, "said again");
  },
  { needs, ms: 60_000 },
);

test(
  "watched, a policy that demands another wall moves everybody behind it",
  async (t) => {
    const { open, path } = await house(t, FILES);
    const file = path("policy.json");
    await writeFile(file, JSON.stringify({ sandbox: "none" }));
    const host = await open({ isolation: "process", policy: file, watch: true });
    await host.driver("a").createNetwork("n");
    await writeFile(file, JSON.stringify({ sandbox: "bubblewrap" }));
    await until(() => IDS.every((id) => row(host, id).wall === "bubblewrap"), "all behind it", 15_000);
    assert.is((await rejection(host.driver("a").createNetwork("n"))).code, "ERR_NETWORK_EXISTS");
  },
  { needs, ms: 60_000 },
);

test.run();

/** Plugins in real workers, on hosts of their own: the whole way from `powers.cluster` to the operator's store and back. */
import type { PluginHost } from "#dist/index.js";
import { assert, suite, type TestContext, until } from "../../harness.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { house, next, row, told } from "../../kit/host.js";
import { plugin, telling } from "../../kit/plugins.js";
import { noEtcd, startEtcd } from "./etcd.js";

const test = suite("permissions/cluster/hosts");
const MANIFEST = {
  "overlay/plugin.json": JSON.stringify({
    name: "overlay",
    main: "index.js",
    scope: "global",
    permissions: { log: true, cluster: true },
  }),
};
const GRANT = { plugins: { overlay: { grant: { scope: "global", log: true, cluster: { keys: 8 } } } } } as const;
const GLOBAL = '{ scope: "global" }';

/** Starts a host on a network that is a model, over a store of the test's. */
async function open(
  t: TestContext,
  text: string,
  cluster: { readonly store: "etcd"; readonly endpoints: string[] } | undefined,
  sandbox: "bubblewrap" | "node" = "node",
): Promise<PluginHost> {
  const place = await house(t, { ...MANIFEST, "overlay/index.js": text });
  return place.open({ policy: { ...GRANT, sandbox }, backend: "model", ...(cluster ? { cluster } : {}) });
}

for (const sandbox of ["node", "bubblewrap"] as const)
  test(
    `two hosts, behind the wall ${sandbox}: what one creates, the other cannot, and both see`,
    async (t) => {
      const etcd = await startEtcd(t);
      const store = { store: "etcd", endpoints: [etcd.url] } as const;
      const text = telling(
        "overlay",
        '[await powers.cluster.create("a", 1) !== null, (await powers.cluster.get("a")).value]',
      );
      const options = { ...store, endpoints: [...store.endpoints] };
      const [one, two] = [await open(t, text, options, sandbox), await open(t, text, options, sandbox)];
      assert.is(row(one, "overlay").isolation, "dedicated");
      assert.equal(await told(one, "overlay"), [true, 1]);
      assert.equal(await told(two, "overlay"), [false, 1]);
    },
    { needs: noEtcd ?? (sandbox === "bubblewrap" ? noBubblewrap : undefined), ms: 60_000 },
  );

test(
  "events reach the plugin, a new worker begins with a list, and the plugin's process has no way to the store itself",
  async (t) => {
    const etcd = await startEtcd(t);
    const text = plugin("overlay", {
      start:
        'await powers.cluster.watch("", (event) => { if (event.type !== "progress") console.log(event.type + " " + (event.key ?? event.entries.length)); });',
      methods: `createNetwork: async (nid) => { await powers.cluster.create(nid, 1); }, deleteNetwork() {},
        endpointOperInfo() { queueMicrotask(() => { throw new Error("stray"); }); return {}; },`,
      capability: GLOBAL,
    });
    const host = await open(t, text, { store: "etcd", endpoints: [etcd.url] });
    const lines: string[] = [];
    host.on("plugin:log", ({ message }) => void lines.push(message));
    const restarted = next(host, "plugin:restarted");
    const driver = host.driver("overlay");
    await driver.createNetwork("n1");
    await until(() => lines.includes("put n1"), "the event");
    await told(host, "overlay").catch(() => {});
    await restarted;
    await until(() => lines.some((line) => /^resync [12]$/.test(line)), "the list of the new worker", 20_000);
  },
  { needs: noEtcd, ms: 60_000 },
);

test("a handler that throws ends the worker, as a stray throw does", async (t) => {
  const text = plugin("overlay", {
    methods: 'createNetwork: async () => { await powers.cluster.watch("", () => { throw new Error("mine"); }); },',
    capability: GLOBAL,
  });
  const host = await open(t, text, undefined);
  const restarting = next(host, "plugin:restarting");
  void host
    .driver("overlay")
    .createNetwork("n1")
    .catch(() => {});
  assert.match((await restarting).reason ?? "", /mine|CRASHED/);
});

test("revoked while it runs: its requests are refused, and its handlers hear the end", async (t) => {
  const place = await house(t, {
    ...MANIFEST,
    "overlay/index.js": plugin("overlay", {
      start:
        'await powers.cluster.watch("", (event) => { if (event.type === "end") console.log("end " + event.code); });',
      capability: GLOBAL,
    }),
  });
  const { writeFile } = await import("node:fs/promises");
  const policy = place.path("policy.json");
  await writeFile(policy, JSON.stringify({ ...GRANT, sandbox: "node" }));
  const host = await place.open({ policy, backend: "model" });
  const ended = next(host, "plugin:log", ({ message }) => message.startsWith("end "));
  await writeFile(
    policy,
    JSON.stringify({ sandbox: "node", plugins: { overlay: { grant: { scope: "global", log: true } } } }),
  );
  await host.refresh();
  assert.match((await ended).message, /^end ERR_(PERMISSION_REVOKED|CLUSTER_FAILED)$/);
});

test("a host with no store: the plugin's request fails, and the log names the option", async (t) => {
  const place = await house(t, {
    ...MANIFEST,
    "overlay/index.js": telling(
      "overlay",
      'await powers.cluster.get("a").catch((error) => [error.code, error.message])',
    ),
  });
  const host = await place.open({ policy: { ...GRANT, sandbox: "node" } });
  const [code, message] = (await told(host, "overlay")) as [string, string];
  assert.is(code, "ERR_CLUSTER_FAILED");
  assert.match(message, /option "cluster"/);
  assert.ok(place.log.some(({ text }) => text.includes('option "cluster"')));
});

test.run();

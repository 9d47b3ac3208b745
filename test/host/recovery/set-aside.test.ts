/**
 * A network that ends every worker it is restored in is set aside, the plugin's other networks serve, and it can be deleted: after a restart
 * of the host, where the end comes a moment after the replay, and while the plugin is out of service.
 */
import { netlinkOf } from "#dist/host/plugin-host.js";
import type { ModelBackend } from "#dist/permissions/netlink/model/model-backend.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host/recovery/set-aside");

/** Its networks of kind "at-once" and "later" end the worker when they are replayed; "on-demand" ends it at any call but a create. */
const FRAGILE = plugin("a", {
  methods: `
    createNetwork: async (nid, options, { replay }) => {
      await powers.netlink.createLink({ kind: "bridge", name: "sa-" + nid });
      if (!replay) return;
      const die = () => { Promise.reject(new Error("stray")); };
      if (options.kind === "at-once") { die(); return new Promise(() => {}); }
      if (options.kind === "later") setTimeout(die, 20);
    },
    deleteNetwork: async (nid) => { await powers.netlink.deleteLink("sa-" + nid); },
    config: (options) => { if (options.die) { Promise.reject(new Error("stray")); return new Promise(() => {}); } },`,
});
const POLICY = {
  plugins: {
    a: {
      grant: {
        netlink: { kinds: ["bridge" as const], prefix: "sa", subnets: ["10.64.0.0/10"] },
        timers: true as const,
      },
    },
  },
};
const FILES = {
  "a.js": FRAGILE,
  "a.plugin.json": JSON.stringify({ permissions: { netlink: { kinds: ["bridge"] }, timers: true } }),
};

for (const kind of ["at-once", "later"]) {
  test(
    `${kind}, after a restart of the host: the others serve, and it can be deleted`,
    async (t) => {
      const place = await house(t, FILES);
      const options = { policy: POLICY, backend: "model" as const, dataDir: place.path("data") };
      const before = await place.open(options);
      for (const nid of ["good1", "bad1", "good2", "bad2", "bad3"])
        await before.driver("a").createNetwork(nid, nid.startsWith("bad") ? { kind } : {});
      await before.close();
      const host = await place.open(options);
      const driver = host.driver("a");
      await until(
        async () => {
          const { code } = await rejection(driver.endpointOperInfo("good1", "e"));
          const bad = await rejection(driver.endpointOperInfo("bad3", "e"));
          return code === "ERR_ENDPOINT_NOT_FOUND" && bad.code === "ERR_REPLAY_FAILED";
        },
        "the good ones to serve and the bad ones to be set aside",
        15_000,
      );
      assert.is(row(host, "a").state, "running");
      for (const nid of ["bad1", "bad2", "bad3"]) {
        assert.match((await rejection(driver.endpointOperInfo(nid, "e"))).message, /quarantined/);
        await driver.deleteNetwork(nid);
      }
      await driver.createNetwork("bad1");
    },
    { ms: 60_000 },
  );
}

test(
  "while the plugin is out of service: it is deleted without the driver, and what it had made goes with the last network",
  async (t) => {
    const place = await house(t, FILES);
    const options = { policy: POLICY, backend: "model" as const, dataDir: place.path("data") };
    const before = await place.open(options);
    await before.driver("a").createNetwork("bad", { kind: "at-once" });
    await before.close();
    const host = await place.open(options);
    const driver = host.driver("a");
    assert.is((await rejection(driver.endpointOperInfo("bad", "e"))).code, "ERR_REPLAY_FAILED");
    const model = netlinkOf(host)?.backend as ModelBackend;
    while (row(host, "a").state !== "unavailable") await driver.config({ die: true }).catch(() => {});
    assert.is((await rejection(driver.createNetwork("n"))).code, "ERR_PLUGIN_UNAVAILABLE");
    await driver.deleteNetwork("bad");
    await until(() => !model.readSnapshot().links.has("sa-bad"), "its link to be gone");
    assert.is((await rejection(driver.deleteNetwork("bad"))).code, "ERR_PLUGIN_UNAVAILABLE");
  },
  { ms: 60_000 },
);

test.run();

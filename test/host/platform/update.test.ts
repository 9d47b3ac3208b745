/** A pinned plugin whose files change: it waits and says what it asks for now, or rolls forward; the bytes hashed are those that run. */
import { renameSync, writeFileSync } from "node:fs";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EndpointConfig, type PluginHost } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { bundleEachTime } from "../../kit/bundles.js";
import { type House, hear, house, next, row, told } from "../../kit/host.js";
import { plugin, telling } from "../../kit/plugins.js";
import { linesOf } from "../audit/lines.js";

const test = suite("host: a pinned plugin that changes");

/** A plugin's folder whose driver tells `version`, and whose manifest is `asks`. */
function version(version: number, asks: object, type = "a"): Record<string, string> {
  return { "a/plugin.json": JSON.stringify(asks), "a/index.js": telling(type, String(version)) };
}

const ASKS = { networkTypes: ["a"], permissions: { log: true, store: { bytes: 1000 } } };
const GRANT = { log: true, store: { bytes: 5000 } };

interface Pinned {
  readonly place: House;
  readonly host: PluginHost;
  readonly sha256: string;
  /** Writes the policy: the first version pinned, and `more`. */
  policy(more: object): Promise<void>;
  open(): Promise<PluginHost>;
}

/** Version 1 runs, and is pinned. */
async function pinned(t: TestContext, more: object): Promise<Pinned> {
  const place = await house(t, version(1, ASKS));
  const file = place.path("policy.json");
  const write = (entry: object): Promise<void> => writeFile(file, JSON.stringify({ plugins: { a: entry } }));
  await write({ grant: GRANT });
  const open = (): Promise<PluginHost> => place.open({ policy: file, dataDir: place.path("data") });
  const host = await open();
  const sha256 = row(host, "a").sha256 ?? "";
  const policy = (entry: object): Promise<void> => write({ grant: GRANT, sha256, ...entry });
  await policy(more);
  await host.reload("a");
  return { place, host, sha256, policy, open };
}

test("the running one serves on; event, log and rejection name the newcomer and what it asks for", async (t) => {
  const { place, host, sha256 } = await pinned(t, {});
  const served = host.driver("a");
  await served.createNetwork("kept");
  const heard = hear(host);
  const cases: readonly [asks: object, text: string][] = [
    [{ ...ASKS, description: "other words" }, ", it asks for the same"],
    [{ ...ASKS, networkTypes: ["a", "b"] }, ': +type "b"'],
    [{ ...ASKS, permissions: { log: true } }, ": -store"],
    [{ ...ASKS, permissions: { log: true, store: { bytes: 2000 } } }, ": store.bytes 1000 → 2000"],
  ];
  for (const [asks, text] of cases) {
    await place.put(version(2, asks));
    const { code, message } = await rejection(host.reload("a"));
    assert.is(code, "ERR_PLUGIN_CHANGED");
    const digest = /its sha256 is ([0-9a-f]{64}), the policy pins/.exec(message)?.[1] ?? "";
    assert.not.equal(digest, sha256);
    const serving = `the version that runs, sha256 ${sha256}, keeps running; check what changed, then: bulkhead grant a --policy`;
    assert.ok(
      message.includes(`the policy pins ${sha256}; compared with the granted version${text}; ${serving}`),
      message,
    );
    assert.equal({ ...heard.at(-1) }, { name: "plugin:awaiting-grant", event: { plugin: "a", code, reason: message } });
    assert.ok(place.log.some((line) => line.level === "warn" && line.text === message && line.text.includes(digest)));
    const seen = row(host, "a");
    assert.equal([seen.state, seen.sha256, seen.refusal], ["running", sha256, undefined]);
  }
  assert.is(heard.length, cases.length);
  await served.deleteNetwork("kept");
  assert.is(await told(host, "a"), 1);
  await host.close();
  const audited = (await linesOf(join(place.path("data"), "audit.jsonl"))).filter(
    (line) => line.event === "awaiting-grant",
  );
  assert.is(audited.length, cases.length);
  assert.is(new Set(audited.map((line) => line.sha256)).size, cases.length);
});

test("one that asks for what is not granted at all waits for that, with all it asks for besides", async (t) => {
  const { place, host, sha256 } = await pinned(t, {});
  await place.put(version(2, { ...ASKS, scope: "global", permissions: { log: true, timers: true } }));
  await place.put({ "a/index.js": "this is not even looked at (" });
  const { code, message } = await rejection(host.reload("a"));
  assert.is(code, "ERR_GRANT_MISSING");
  const since = `compared with the granted version: scope "local" → "global", +timers {"minimumMs":1,"count":256}, -store`;
  assert.ok(
    message.startsWith(
      `plugin "a" asks for scope "global" (granted: "local"); ${since}; the version that runs, sha256 ${sha256}, keeps running; to grant it: bulkhead grant a`,
    ),
    message,
  );
  assert.is(await told(host, "a"), 1);
});

test("not running, and not known: compared with its grant", async (t) => {
  const { place, host, open } = await pinned(t, {});
  await host.close();
  await place.put(version(2, { ...ASKS, networkTypes: ["a", "b"] }));
  const again = await open();
  const { state, refusal } = row(again, "a");
  assert.equal([state, refusal?.code], ["awaiting-grant", "ERR_PLUGIN_CHANGED"]);
  assert.match(refusal?.message ?? "", /; compared with its grant: \+type "b"; check what changed, then: /);
  assert.not.match(refusal?.message ?? "", "keeps running");
});

test("same-grant: what does not ask for more takes its place, with its networks; logged and audited with both digests", async (t) => {
  const { place, host, sha256 } = await pinned(t, { update: "same-grant" });
  await host.driver("a").createNetwork("kept");
  const fewer = { ...ASKS, permissions: { log: true } };
  const ran: string[] = [];
  const steps: readonly [asks: object, rolls: boolean][] = [
    [fewer, true],
    // As many as the pinned version, and more than the one that runs.
    [ASKS, true],
    [{ ...ASKS, permissions: { log: true, store: { bytes: 1001 } } }, false],
    [{ ...ASKS, permissions: { log: true, store: { bytes: 1000 }, random: true } }, false],
    [{ ...ASKS, description: "again" }, true],
  ];
  let serving = 1;
  for (const [index, [asks, rolls]] of steps.entries()) {
    await place.put(version(index + 2, asks));
    const outcome = await host.reload("a").then(
      () => "loaded",
      (error: Error) => error.message,
    );
    if (rolls) {
      serving = index + 2;
      assert.is(outcome, "loaded");
      ran.push(row(host, "a").sha256 ?? "");
      // Loading it once more is not reported.
      await host.reload("a");
    } else assert.match(outcome, /; "update": "same-grant" does not cover that; the version that runs, /);
    assert.is(row(host, "a").state, "running");
    assert.is(await told(host, "a"), serving);
  }
  await host.driver("a").deleteNetwork("kept");
  await host.close();
  const audited = (await linesOf(join(place.path("data"), "audit.jsonl"))).filter((line) => line.event === "updated");
  assert.equal(
    audited.map((line) => line.sha256),
    ran,
  );
  for (const [index, digest] of ran.entries()) {
    const words = `plugin "a" runs with sha256 ${digest} in place of ${sha256}, which the policy pins ("update": "same-grant"): `;
    assert.ok(audited[index]?.detail.startsWith(words), audited[index]?.detail);
    assert.ok(place.log.some((line) => line.level === "info" && line.text.startsWith(words)));
  }
});

test("same-grant: a new process has only the grant to go by, and rolls as far as that goes", async (t) => {
  const { place, host, sha256, open } = await pinned(t, { update: "same-grant" });
  await host.close();
  // Over the first version's wish, and within the grant.
  await place.put(version(2, { ...ASKS, permissions: { log: true, store: { bytes: 4000 } } }));
  const second = await open();
  assert.is(await told(second, "a"), 2);
  assert.not.equal(row(second, "a").sha256, sha256);
  await second.close();
  for (const asks of [
    { ...ASKS, scope: "global" },
    { ...ASKS, networkTypes: ["a", "b"] },
    { ...ASKS, permissions: { log: true, store: true, random: true } },
  ]) {
    await place.put(version(3, asks));
    const again = await open();
    assert.is(row(again, "a").state, "awaiting-grant");
    await again.close();
  }
});

test("same-grant: what was let in serves its networks after a restart, while the next version waits for a grant", async (t) => {
  const { place, host, open } = await pinned(t, { update: "same-grant" });
  await place.put(version(2, ASKS));
  await host.reload("a");
  const { sha256 } = row(host, "a");
  await host.driver("a").createNetwork("kept");
  await host.close();
  await place.put(version(3, { ...ASKS, permissions: { ...ASKS.permissions, netlink: true } }));
  const again = await open();
  assert.equal([row(again, "a").state, row(again, "a").sha256], ["running", sha256]);
  await again.driver("a").createEndpoint("kept", "e", new EndpointConfig());
});

test("same-grant: recovery that the plugin takes into its own hands waits for a grant, after a restart too", async (t) => {
  const { place, host, open } = await pinned(t, { update: "same-grant" });
  await place.put(version(2, { ...ASKS, recovery: "self" }));
  assert.match((await rejection(host.reload("a"))).message, /recovery "replay" → "self"/);
  await host.close();
  const again = await open();
  assert.is(row(again, "a").state, "awaiting-grant");
  assert.match(row(again, "a").refusal?.message ?? "", /recovery "replay" → "self"/);
});

test("same-grant: once the pin is the version that runs, nothing is rolled any more", async (t) => {
  const { place, host, policy } = await pinned(t, { update: "same-grant" });
  await place.put(version(2, ASKS));
  await host.reload("a");
  await policy({ update: "same-grant", sha256: row(host, "a").sha256 });
  await host.reload("a");
  await host.close();
  const events = (await linesOf(join(place.path("data"), "audit.jsonl"))).map(({ event }) => event);
  assert.equal(
    events.filter((event) => event === "updated"),
    ["updated"],
  );
});

test("a restart runs the bytes that were hashed, whatever stands in the folder by then", async (t) => {
  const stray = `createNetwork(nid) { if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); } },`;
  const place = await house(t, { "a.js": plugin("a", { methods: `endpointOperInfo: () => ({ told: 1 }), ${stray}` }) });
  const host = await place.open();
  const { sha256 } = row(host, "a");
  await place.put({ "a.js": telling("a", "2") });
  const restarted = next(host, "plugin:restarted");
  await rejection(host.driver("a").createNetwork("crash"));
  await restarted;
  assert.is(row(host, "a").sha256, sha256);
  await host.driver("a").createNetwork("n");
  await host.driver("a").createEndpoint("n", "e", new EndpointConfig());
  assert.equal(await host.driver("a").endpointOperInfo("n", "e"), { told: 1 });
});

test("the same files behind other links are another plugin", async (t) => {
  const place = await house(t, {
    "a/plugin.json": "{}",
    "a/index.js": `import { n } from "./now/n.js"; import "./x/n.js"; import "./y/n.js";\n${telling("a", "n")}`,
    "a/x/n.js": "export const n = 1;",
    "a/y/n.js": "export const n = 2;",
  });
  const link = join(place.plugins, "a/now");
  await symlink("x", link);
  const policy = place.path("policy.json");
  await writeFile(policy, "{}");
  const host = await place.open({ policy });
  await writeFile(policy, JSON.stringify({ plugins: { a: { sha256: row(host, "a").sha256 } } }));
  await host.reload("a");
  await rm(link);
  await symlink("y", link);
  assert.is((await rejection(host.reload("a"))).code, "ERR_PLUGIN_CHANGED");
  assert.is(await told(host, "a"), 1);
});

test(
  "files swapped again and again while it is loaded: only the pinned bytes ever run",
  async (t) => {
    bundleEachTime();
    const { place, host, sha256 } = await pinned(t, {});
    const texts = await Promise.all(
      [1, 2].map(async (n) =>
        n === 1 ? await readFile(join(place.plugins, "a/index.js"), "utf8") : telling("a", "2"),
      ),
    );
    let busy = true;
    const swapping = (async () => {
      for (let n = 0; busy; n++) {
        const file = join(place.path("."), "next.js");
        writeFileSync(file, texts[n % 2] ?? "");
        renameSync(file, join(place.plugins, "a/index.js"));
        // Long enough for a load to come through unharmed now and then.
        await new Promise((resolve) => setTimeout(resolve, 7));
      }
    })();
    const outcomes = { loaded: 0, refused: 0 };
    for (let round = 0; round < 40 && (outcomes.loaded < 3 || outcomes.refused < 3); round++) {
      const code = await host.reload("a").then(
        () => "loaded",
        (error: { code?: string }) => error.code,
      );
      assert.ok(["loaded", "ERR_PLUGIN_CHANGED", "ERR_PLUGIN_FILE"].includes(code ?? ""), code);
      outcomes[code === "loaded" ? "loaded" : "refused"]++;
      assert.is(row(host, "a").sha256, sha256);
      assert.is(await told(host, "a"), 1);
    }
    busy = false;
    await swapping;
    assert.ok(outcomes.loaded > 0 && outcomes.refused > 0, JSON.stringify(outcomes));
  },
  { ms: 60_000 },
);

test.run();

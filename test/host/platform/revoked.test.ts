/** A revocation on a running host acts at once, on waiting requests too; the operator reads of it, and a grant brings the plugin back. */
import { writeFile } from "node:fs/promises";
import { netlinkOf } from "#dist/host/plugin-host.js";
import { EndpointConfig } from "#dist/index.js";
import type { ModelBackend } from "#dist/permissions/netlink/model/model-backend.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { type House, house, next, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { linesOf } from "../audit/lines.js";

const test = suite("host: revocation");

const NETLINK = { kinds: ["bridge"], prefix: "rv", subnets: ["10.64.0.0/10"] };

/** Makes a bridge per network, after `options.wait` settled by another call. */
const WIRES = plugin("wires", {
  top: "let go; const gate = new Promise((resolve) => { go = resolve; });",
  methods: `
    createNetwork: async (nid, options) => {
      if (options.wait) await gate;
      await powers.netlink.createLink({ kind: "bridge", name: "rv-b" + nid });
    },
    deleteNetwork: async (nid) => { await powers.netlink.deleteLink("rv-b" + nid); },
    config: (options) => { if (options.go) go(); },`,
});

interface Running {
  readonly place: House;
  readonly host: Awaited<ReturnType<House["open"]>>;
  policy(entry: object): Promise<void>;
  links(): readonly string[];
}

async function running(t: TestContext, kinds: readonly string[] = ["bridge"]): Promise<Running> {
  const place = await house(t, {
    "wires.js": WIRES,
    "wires.plugin.json": JSON.stringify({ permissions: { netlink: { kinds } } }),
  });
  const file = place.path("policy.json");
  const policy = (entry: object): Promise<void> => writeFile(file, JSON.stringify({ plugins: { wires: entry } }));
  await policy({ grant: { netlink: NETLINK } });
  const host = await place.open({ policy: file, dataDir: place.path("data"), backend: "model", watch: true });
  const links = (): readonly string[] =>
    [...((netlinkOf(host)?.backend as ModelBackend | undefined)?.readSnapshot().links ?? [])].filter(
      (one) => one !== "lo",
    );
  return { place, host, policy, links };
}

test("limits that become narrower than what there is bind at once: what does not fit is set aside, and nothing of it is made", async (t) => {
  const { place, host, policy, links } = await running(t, ["bridge", "veth"]);
  await policy({ grant: { netlink: { ...NETLINK, kinds: ["bridge", "veth"] } } });
  await next(host, "plugin:loaded");
  const wires = host.driver("wires");
  await wires.createNetwork("1");
  const loaded = next(host, "plugin:loaded");
  await policy({ grant: { netlink: { ...NETLINK, kinds: ["veth"] } } });
  await loaded;
  assert.match((await rejection(wires.createNetwork("2"))).message, /kind "bridge" is not granted/);
  assert.equal(links(), ["rv-b1"], "what it had made stays, so that traffic flows on");
  assert.is((await rejection(wires.createEndpoint("1", "e", new EndpointConfig()))).code, "ERR_REPLAY_FAILED");
  const words = place.log
    .filter(({ text }) => text.includes("the policy grants less than it ran with"))
    .map(({ text }) => text);
  assert.is(words.length, 1);
  assert.match(String(words[0]), /plugin "wires" restarts: .*netlink\.kinds/);
});

test("no link is made after it, not even for a call that was under way; the networks wait for a grant", async (t) => {
  const { place, host, policy, links } = await running(t);
  const wires = host.driver("wires");
  await wires.createNetwork("1");
  const underWay = rejection(wires.createNetwork("2", { wait: true }));
  const waiting = next(host, "plugin:awaiting-grant");
  await policy({ revoked: { netlink: NETLINK } });
  await waiting;
  await underWay;
  assert.is((await rejection(wires.createNetwork("3"))).code, "ERR_PLUGIN_UNAVAILABLE");
  assert.equal(links(), ["rv-b1"], "what it had made stays, so that traffic flows on");
  assert.is(row(host, "wires").state, "awaiting-grant");

  const back = next(host, "plugin:loaded");
  await policy({ grant: { netlink: NETLINK } });
  await back;
  await wires.deleteNetwork("1");
  assert.equal(links(), []);
  await host.close();
  const lines = await linesOf(place.path("data/audit.jsonl"));
  assert.ok(lines.some(({ event, detail }) => event === "revoked" && detail.includes("netlink")));
});

test("the powers of the worker that still runs are shut in the turn in which the policy changes", async (t) => {
  const { host, policy, links } = await running(t);
  const wires = host.driver("wires");
  const underWay = rejection(wires.createNetwork("2", { wait: true }));
  const log = next(host, "plugin:awaiting-grant");
  await policy({ revoked: { netlink: NETLINK } });
  await log;
  await wires.config({ go: true }).catch(() => {});
  await underWay;
  assert.equal(links(), []);
});

test("an optional permission that is revoked: the plugin serves on without it", async (t) => {
  const { place, host, policy } = await running(t);
  await place.put({
    "wires.plugin.json": JSON.stringify({ optionalPermissions: { netlink: { kinds: ["bridge"] } }, permissions: {} }),
  });
  await next(host, "plugin:loaded");
  const loaded = next(host, "plugin:loaded");
  await policy({});
  await loaded;
  assert.equal([row(host, "wires").state, row(host, "wires").grant?.permissions.netlink], ["running", undefined]);
});

test.run();

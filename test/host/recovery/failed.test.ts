/** A record that cannot be restored costs its network; the others serve, and it can still be deleted. */
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { house, next } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { event, type Scripted, scripted } from "../../kit/scripted.js";

const test = suite("host/recovery/failed");

async function crash(s: Scripted): Promise<void> {
  const restarted = event(s.host, "plugin:restarted");
  await s.timer("crash");
  await restarted;
}

/** Two networks with an endpoint each, joined; the options of one thing on "bad" misbehave when they are replayed. */
async function build(s: Scripted, part: string, onReplay: string): Promise<void> {
  const d = s.driver();
  for (const nid of ["bad", "good"]) {
    const options = (name: string): Record<string, string> => (nid === "bad" && name === part ? { onReplay } : {});
    await d.createNetwork(nid, options("network"));
    await d.createEndpoint(nid, "end", new EndpointConfig(), options("endpoint"));
    await d.join(nid, "end", "box", new JoinConfig(), options("join"));
  }
}

const CASES = [
  ["network", "throw", "scripted: createNetwork"],
  ["endpoint", "throw", "scripted: createEndpoint"],
  ["endpoint", "badReply", "interface"],
  ["join", "throw", "scripted: join"],
  ["join", "badReply", "differs"],
  ["network", "crash", "quarantined"],
  ["join", "reject", "quarantined"],
  ["endpoint", "spin", "quarantined"],
  ["network", "never", "answered|quarantined"],
] as const;

for (const [part, onReplay, why] of CASES) {
  test(`${part} whose replay does "${onReplay}": ERR_REPLAY_FAILED for its network alone, which can be deleted`, async (t) => {
    const s = await scripted(t, { timeouts: { default: 700 } });
    const d = s.driver();
    await build(s, part, onReplay);
    await crash(s);
    if (onReplay === "never") await event(s.host, "plugin:restarted").then(() => event(s.host, "plugin:restarted"));
    const [read, create] = [d.endpointOperInfo("bad", "end"), d.createEndpoint("bad", "new", new EndpointConfig())];
    for (const error of await Promise.all([rejection(read), rejection(create)])) {
      assert.is(error.code, "ERR_REPLAY_FAILED", error.message);
      assert.match(error.message, new RegExp(why));
      assert.match(error.message, "bad");
    }
    assert.is((await rejection(d.createNetwork("bad"))).code, "ERR_NETWORK_EXISTS");
    assert.is((await d.endpointOperInfo("good", "end")).joined, true);
    await d.createEndpoint("good", "more", new EndpointConfig());
    // Deleting: the driver may know the network, or not.
    await d.leave("bad", "end");
    await d.deleteEndpoint("bad", "end");
    await d.deleteNetwork("bad");
    await d.createNetwork("bad");
    assert.is((await d.endpointOperInfo("good", "end")).joined, true);
  });
}

test("a replayed join must record the same names, gateways and routes: any one that differs costs its network", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      methods: `
        createNetwork(nid) { if (nid === "crash") { Promise.reject(new Error("stray")); return new Promise(() => {}); } },
        // It always adds: the very same again, in a replay, is not a difference.
        createEndpoint(nid, eid, info) { info.addInterface(0, "", "10.9.0.2/24", ""); },
        join(nid, eid, box, jinfo, options, { replay }) {
          const differs = (part) => replay && nid === part;
          jinfo.interfaceNames()[0].setNames(differs("srcName") ? "b" : "a", differs("dstPrefix") ? "net" : "eth");
          jinfo.setGateway(differs("gateway") ? "10.9.0.3" : "10.9.0.1");
          jinfo.setGatewayIPv6(differs("gatewayIPv6") ? "" : "fd00::1");
          jinfo.addStaticRoute("10.10.0.0/16", 0, differs("nextHop") ? "10.9.0.3" : "10.9.0.1", 0);
          if (!differs("fewer")) jinfo.addStaticRoute("10.11.0.0/16", 1, "", 0);
          if (differs("more")) jinfo.addStaticRoute("10.12.0.0/16", 1, "", 0);
        },`,
    }),
  });
  const host = await open();
  const d = host.driver("a");
  const parts = ["srcName", "dstPrefix", "gateway", "gatewayIPv6", "nextHop", "fewer", "more"];
  for (const nid of [...parts, "same"]) {
    await d.createNetwork(nid);
    await d.createEndpoint(nid, "e", new EndpointConfig());
    await d.join(nid, "e", "box", new JoinConfig());
  }
  const restarted = next(host, "plugin:restarted");
  await rejection(d.createNetwork("crash"));
  await restarted;
  for (const nid of parts) {
    const error = await rejection(d.endpointOperInfo(nid, "e"));
    assert.is(error.code, "ERR_REPLAY_FAILED", nid);
    assert.match(error.message, "its join differs from the recorded one", nid);
  }
  await d.endpointOperInfo("same", "e");
});

test("a network whose replay never settles is quarantined, and does not end the driver again and again", async (t) => {
  const s = await scripted(t, { timeouts: { default: 300 } });
  const d = s.driver();
  await build(s, "network", "never");
  let restarts = 0;
  s.host.on("plugin:restarted", () => {
    restarts++;
  });
  await crash(s);
  const asked = async (): Promise<string> => (await rejection(d.endpointOperInfo("bad", "end"))).message;
  // Twice it costs the driver its worker; then it is asked no more.
  await until(async () => (await asked()).includes("quarantined"), "the quarantine", 15_000);
  assert.is((await d.endpointOperInfo("good", "end")).joined, true);
  assert.match(await asked(), "quarantined");
  assert.ok(restarts <= 3, `${restarts} restarts`);
  assert.is(s.host.plugins()[0]?.state, "running");
});

test.run();

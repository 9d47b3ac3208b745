/** `bulkhead why` from the host's own records: a driver that hangs, networks that were lost, endpoints not joined; hostile words; bad input. */
import { createServer } from "node:http";
import type { WhyReply } from "#dist/control/types.js";
import { EndpointConfig, JoinConfig, type PluginHost } from "#dist/index.js";
import { cli } from "../cli/cli.js";
import { controlled, raw } from "../control/controlled.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { next } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("why: from the host's records");

const HOSTILE = "\u001b[2Jno\n  ok  plugin   forged\u202e";

/** Its networks of kind "fails" and "kills" are lost when they are replayed; `endpointOperInfo` hangs. */
const NET = plugin("net", {
  methods: `
    createNetwork(nid, { kind }, { replay }) {
      if (!replay || !kind) return;
      if (kind === "fails") throw new Error(${JSON.stringify(HOSTILE)});
      Promise.reject(new Error("stray"));
      return new Promise(() => {});
    },
    createEndpoint(nid, eid, info, options) { info.addInterface(0, "", options.ip, ""); },
    endpointOperInfo() { console.log("begun"); return new Promise(() => {}); },`,
});

async function place(t: TestContext) {
  const policy = { plugins: { net: { timeouts: { endpointOperInfo: 5_000 } } } };
  const one = await controlled(t, { "net.js": NET }, { backend: "model", policy });
  const driver = one.host.driver("net");
  const add = async (nid: string, eid: string, ip: string, options = {}): Promise<void> => {
    await driver.createNetwork(nid, options);
    await driver.createEndpoint(nid, eid, new EndpointConfig(), { ip });
    await driver.join(nid, eid, "/run/netns/box", new JoinConfig());
  };
  const cause = async (from: string, to?: string) =>
    (await one.client.ask("why", { body: { from, ...(to ? { to } : {}) } })).cause;
  return { ...one, driver, add, cause };
}

/** Restarts the plugin on an operator's word, and waits until it serves again. */
async function restart(client: Awaited<ReturnType<typeof controlled>>["client"]): Promise<void> {
  await client.ask("restart", { id: "net" }).catch(() => {});
}

test(
  "a driver that hangs: the call that is in progress is named, and then its deadline",
  async (t) => {
    const { host, driver, add, cause } = await place(t);
    await add("n", "end-1", "10.7.0.2/24");
    assert.is(await cause("end-1"), null);
    const begun = next(host as PluginHost, "plugin:log");
    const hanging = rejection(driver.endpointOperInfo("n", "end-1"));
    await begun;
    const found = await until(() => cause("10.7.0.2"), "the hanging call");
    assert.equal([found.check, found.fix], ["driver", "bulkhead restart net"]);
    assert.match(found.evidence, /^net\.endpointOperInfo\(n, end-1\) has been in progress for \d+\.\d s$/);
    assert.is((await hanging).code, "ERR_DRIVER_TIMEOUT");
    assert.match((await cause("end-1"))?.evidence ?? "", /^endpointOperInfo passed its deadline at /);
  },
  { ms: 60_000 },
);

test("a replay that failed, and a network that is quarantined, are told apart; the others are whole", async (t) => {
  const { client, add, cause, socket } = await place(t);
  await add("good", "end-1", "10.7.0.2/24");
  await add("lost", "end-2", "10.7.1.2/24", { kind: "fails" });
  await restart(client);
  const failed = await until(() => cause("end-2"), "the lost network");
  assert.is(failed.check, "network");
  assert.match(failed.evidence, /^network lost could not be restored: ERR_REPLAY_FAILED: /);
  const ran = await cli(["why", "end-2", "--control", socket]);
  assert.not(/[^\P{C}\n]/u.test(ran.out), JSON.stringify(ran.out));
  assert.not(ran.out.split("\n").includes("  ok  plugin   forged"));
  await add("deadly", "end-3", "10.7.2.2/24", { kind: "kills" });
  await restart(client);
  const quarantined = await until(async () => {
    const found = await cause("end-3");
    return found?.check === "network" && found.evidence.includes("quarantined") ? found : undefined;
  }, "the quarantined network");
  assert.match(quarantined.evidence, /^network deadly is quarantined: restoring it ended 2 workers: /);
  assert.is(await cause("end-1"), null);
});

test("not joined; plugin quarantined; on a model nothing is said of links", async (t) => {
  const { client, driver, add, cause } = await place(t);
  await add("n", "end-1", "10.7.0.2/24");
  const { checks } = await client.ask("why", { body: { from: "end-1" } });
  assert.equal(checks.at(-1)?.holds, "skipped");
  await driver.leave("n", "end-1");
  assert.match((await cause("end-1"))?.evidence ?? "", /^endpoint end-1 is not joined to a sandbox$/);
  await client.ask("quarantine", { id: "net" });
  const down = await cause("end-1");
  assert.equal([down?.check, down?.fix], ["plugin", "bulkhead start net"]);
});

test("containers by name, as the engine tells them; on the network that both are on", async (t) => {
  const { add, driver, socket, home } = await place(t);
  await add("n", "end-1", "10.7.0.2/24");
  await add("m", "end-2", "10.7.1.2/24");
  for (const eid of ["end-3", "end-4"])
    await driver.createEndpoint(eid === "end-3" ? "n" : "m", eid, new EndpointConfig(), { ip: "10.7.9.2/24" });
  const list = [
    { Names: ["/web"], NetworkSettings: { Networks: { x: { EndpointID: "end-1" }, y: { EndpointID: "end-2" } } } },
    { Names: ["/db"], NetworkSettings: { Networks: { y: { EndpointID: "end-4" } } } },
  ];
  const engine = createServer((_, response) => void response.end(JSON.stringify(list)));
  const path = home.path("docker.sock");
  await new Promise<void>((resolve) => engine.listen(path, resolve));
  t.cleanup(() => engine.close());
  const run = (...args: string[]) => cli(["why", ...args, "--control", socket, "--engine", path, "--json"]);
  const { exit, out } = await run("web", "db:80");
  assert.is(exit, 1);
  const { cause, checks } = JSON.parse(out) as WhyReply;
  assert.equal(
    [cause?.evidence, cause?.of],
    ["endpoint end-4 is not joined to a sandbox", "endpoint end-4 on network m"],
  );
  assert.is(checks[0]?.of, "endpoint end-2 on network m");
  const unknown = await run("nobody", "db");
  assert.equal([unknown.exit, unknown.json().error?.code], [1, "ERR_ENDPOINT_NOT_FOUND"]);
});

test("bad input names its field; an id that is not one alone is refused", async (t) => {
  const { add, socket, client } = await place(t);
  await add("n", "end-1", "10.7.0.2/24");
  await add("m", "end-2", "10.7.0.2/24");
  const asked = async (body: unknown) => (await raw(socket, "POST", "/v1/why", JSON.stringify(body))).body;
  for (const [body, field] of [
    [{}, "body.from"],
    [{ from: 3 }, "body.from"],
    [{ from: "end-1", port: 70_000 }, "body.port"],
    [{ from: "end-1", more: 1 }, "body.more"],
    [{ from: "end-" }, "body.from"],
    [{ from: "10.7.0.2" }, "body.from"],
  ] as const) {
    const { code, field: named } = await asked(body);
    assert.equal([code, named], ["ERR_CONTROL_REQUEST", field], JSON.stringify(body));
  }
  const unknown = await rejection(client.ask("why", { body: { from: "end-1", to: "no\nsuch" } }));
  assert.is(unknown.code, "ERR_ENDPOINT_NOT_FOUND");
  assert.not(/\p{Cc}/u.test(unknown.message));
  const none = await cli(["why", "end-1", "--control", `${socket}.none`]);
  assert.is(none.exit, 3);
});

test.run();

/** README "Embedding": every rejection of a driver's method says `plugin`, `driver` and `method`, no matter what refused the call. */
import { EndpointConfig, type HostedDriver, JoinConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { house } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";
import { scripted } from "../../kit/scripted.js";

const test = suite("host/calls/error-site");

/** Each call is refused with this code, and says where. */
async function refused(code: string, plugin: string, calls: readonly (readonly [string, Promise<unknown>])[]) {
  const errors = await Promise.all(calls.map(([, call]) => rejection(call)));
  assert.equal(
    errors.map((error) => [error.code, error.plugin, error.driver, error.method]),
    calls.map(([name]) => [code, plugin, "scripted", name]),
  );
}

/** All calls about a network of this id but the one that makes it. */
function within(d: HostedDriver, nid: string): (readonly [string, Promise<unknown>])[] {
  return [
    ["createEndpoint", d.createEndpoint(nid, "e", new EndpointConfig())],
    ["endpointOperInfo", d.endpointOperInfo(nid, "e")],
    ["join", d.join(nid, "e", "box", new JoinConfig())],
    ["leave", d.leave(nid, "e")],
    ["deleteEndpoint", d.deleteEndpoint(nid, "e")],
    ["deleteNetwork", d.deleteNetwork(nid)],
  ];
}

test("what the host refuses by its books", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const plugin = s.host.plugins()[0]?.name ?? "";
  await refused("ERR_NETWORK_NOT_FOUND", plugin, within(d, "none"));
  await d.createNetwork("n");
  await refused("ERR_NETWORK_EXISTS", plugin, [["createNetwork", d.createNetwork("n")]]);
  await d.createEndpoint("n", "e", new EndpointConfig());
  await refused("ERR_NETWORK_IN_USE", plugin, [["deleteNetwork", d.deleteNetwork("n")]]);
  await refused("ERR_ENDPOINT_NOT_JOINED", plugin, [["leave", d.leave("n", "e")]]);
});

test("arguments that are wrong; the words and the stack are those of the first error", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const plugin = s.host.plugins()[0]?.name ?? "";
  await refused("ERR_BAD_ID", plugin, [["createNetwork", d.createNetwork("")], ...within(d, "")]);
  const list = [] as unknown as Record<string, never>;
  await refused("ERR_BAD_OPTIONS", plugin, [
    ["config", d.config(list)],
    ["createNetwork", d.createNetwork("n", list)],
  ]);
  const error = await rejection(d.createNetwork(""));
  assert.match(String(error.stack), error.message);
  assert.match(String(error.stack), "parseId");
});

test("the stack begins at the line that threw in the plugin, and leads to the platform's line that called", async (t) => {
  const place = await house(t, {
    "a.js": plugin("a", { methods: `createNetwork() {\n throw new Error("no room"); },` }),
  });
  const host = await place.open();
  async function attachContainer(): Promise<void> {
    await host.driver("a").createNetwork("n");
  }
  const { stack = "" } = await rejection(attachContainer());
  const [head, ...frames] = stack.split("\n");
  assert.match(String(head), /no room/);
  assert.match(String(frames[0]), /^ {4}in plugin "a": at .*createNetwork \(a\.js:\d+:\d+\)/);
  assert.match(stack, /\n +at async attachContainer .*error-site/);
  const missing = await rejection(host.driver("a").deleteNetwork("other"));
  assert.match(String(missing.stack), /error-site/, "also where no driver was asked");
});

test("a plugin that is not in service", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  const plugin = s.host.plugins()[0]?.name ?? "";
  await s.host.unload(plugin);
  await refused("ERR_DRIVER_NOT_FOUND", plugin, [["createNetwork", d.createNetwork("n")], ...within(d, "n")]);
});

test.run();

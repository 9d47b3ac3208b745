/** close(): new calls are refused, pending ones have their time, twice is harmless, nothing is left running. */
import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPluginHost, EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/closed");

test("new calls are ERR_HOST_CLOSED from the first moment; a pending one is answered by its driver", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "late", ms: 300 }]);
  const pending = d.createNetwork("net");
  const closing = s.host.close();
  const calls = [
    d.createNetwork("new"),
    d.deleteNetwork("net"),
    d.config(),
    d.createEndpoint("net", "end", new EndpointConfig()),
  ];
  for (const call of calls) {
    const error = await rejection(call);
    assert.is(error.code, "ERR_HOST_CLOSED");
    assert.is(error.kind, "NoService");
  }
  for (const call of [s.host.reload("scripted"), s.host.unload("scripted")])
    assert.is((await rejection(call)).code, "ERR_HOST_CLOSED");
  await pending;
  await closing;
  assert.is((await rejection(d.createNetwork("new"))).code, "ERR_HOST_CLOSED");
  assert.is(s.host.plugins()[0]?.state, "stopped");
  assert.is(d.type(), "scripted");
});

test("twice is harmless, at once and later, and so is disposing", async (t) => {
  const s = await scripted(t);
  await Promise.all([s.host.close(), s.host.close()]);
  await s.host.close();
  await s.host[Symbol.asyncDispose]();
});

test("a call that does not settle is told after five seconds, and close() resolves", async (t) => {
  const s = await scripted(t, { timeouts: { default: 60_000 } });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "never" }]);
  const pending = rejection(d.createNetwork("net"));
  const began = performance.now();
  await s.host.close();
  assert.is((await pending).code, "ERR_HOST_CLOSED");
  const took = performance.now() - began;
  assert.ok(took >= 4900 && took < 9000, `${took} ms`);
});

test("a call that waits for a driver out of service is told so too", async (t) => {
  const s = await scripted(t, { timeouts: { default: 60_000 } });
  const d = s.driver();
  await s.cue([{ method: "createNetwork", nid: "net", what: "never" }]);
  const first = rejection(d.createNetwork("net"));
  const second = rejection(d.deleteNetwork("net"));
  await s.host.close();
  assert.is((await first).code, "ERR_HOST_CLOSED");
  assert.is((await second).code, "ERR_HOST_CLOSED");
});

test("a worker that blocks does not keep a host open", async (t) => {
  const s = await scripted(t, { timeouts: { default: 60_000 } });
  await s.timer("spin");
  const began = performance.now();
  await s.host.close();
  assert.ok(performance.now() - began < 9000);
});

test("a reload that its close overtakes is refused, and starts nothing afterwards", async (t) => {
  const plugins = await t.folder();
  await writeFile(join(plugins, "one.js"), plugin("one"));
  const host = await createPluginHost({ plugins, policy: { sandbox: "auto" }, logger: SILENT, isolation: "thread" });
  const reloads = Array.from({ length: 20 }, () => rejection(host.reload("one")).catch(() => undefined));
  const walled = await createPluginHost({ plugins: await t.folder(), policy: { sandbox: "auto" }, logger: SILENT });
  const mine = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`bulkhead-runtime-${process.pid}-`));
  const before = mine();
  const late = rejection(walled.reload("nobody"));
  await Promise.all([host.close(), walled.close()]);
  const codes = (await Promise.all(reloads)).map((error) => error?.code);
  // The one that was under way may have ended well, or have been cut off; none that waited was begun.
  assert.ok(codes.filter((code) => code === "ERR_HOST_CLOSED").length >= 18, codes.join(" "));
  assert.match(String((await late).code), /ERR_HOST_CLOSED|ERR_PLUGIN_NOT_FOUND/);
  assert.equal(mine(), before);
});

test("a closed host listens to the platform's signal no more", async (t) => {
  const { signal } = new AbortController();
  const plugins = await t.folder();
  for (let i = 0; i < 3; i++) {
    const host = await createPluginHost({ plugins, signal, logger: SILENT });
    assert.is(getEventListeners(signal, "abort").length, 1);
    await host.close();
  }
  assert.is(getEventListeners(signal, "abort").length, 0);
});

test.run();

/** Crash loops: restarts back off, then the breaker opens and calls are refused at once; a reload brings the plugin back. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, rejection, suite } from "../../harness.js";
import { event, type Scripted, scripted } from "../../kit/scripted.js";

const test = suite("host/recovery/breaker");

test("five crashes open the breaker; the others serve; reload closes it, networks and driver object intact", async (t) => {
  const s = await scripted(t, { ids: ["bad", "good"] });
  const bad = s.driver("bad");
  await bad.createNetwork("net");
  await s.driver("good").createNetwork("net");
  const pauses: number[] = [];
  const unavailable = event(s.host, "plugin:unavailable", "bad");
  for (let i = 0; i < 4; i++) {
    const restarted = event(s.host, "plugin:restarted", "bad");
    const restarting = event(s.host, "plugin:restarting", "bad");
    await s.timer("crash", 1, "bad");
    await restarting;
    const began = performance.now();
    const { code, reason } = await restarted;
    pauses.push(performance.now() - began);
    assert.is(code, "ERR_PLUGIN_CRASHED");
    assert.match(reason ?? "", "scripted: stray throw");
  }
  assert.ok((pauses[2] ?? 0) >= 95 && (pauses[3] ?? 0) >= 195, `restarts back off: ${pauses.map(Math.round)}`);
  await s.timer("crash", 1, "bad");
  await unavailable;
  const info = s.host.plugins().find((one) => one.name === "bad");
  assert.is(info?.state, "unavailable");
  assert.is(info?.refusal?.code, "ERR_PLUGIN_UNAVAILABLE");
  assert.is(info?.counters.restarts, 4);

  const began = performance.now();
  const error = await rejection(bad.createNetwork("other"));
  assert.ok(performance.now() - began < 1000, "at once");
  assert.is(error.code, "ERR_PLUGIN_UNAVAILABLE");
  assert.is(error.kind, "NoService");
  assert.match(error.message, "reload");
  assert.is(s.host.driver("bad"), bad, "the driver object is still there");
  await s.driver("good").deleteNetwork("net");

  await s.host.reload("bad");
  assert.is(s.host.plugins().find((one) => one.name === "bad")?.state, "running");
  assert.is((await rejection(bad.createNetwork("net"))).code, "ERR_NETWORK_EXISTS");
  await bad.deleteNetwork("net");
});

test("calls that wait when the breaker opens are refused then, not at their deadline", async (t) => {
  const s = await scripted(t, { timeouts: { default: 15_000 } });
  const d = s.driver();
  await d.createNetwork("net", { onReplay: "ok" });
  for (let i = 0; i < 4; i++) {
    const restarted = event(s.host, "plugin:restarted");
    await s.timer("crash");
    await restarted;
  }
  const restarting = event(s.host, "plugin:restarting");
  const unavailable = event(s.host, "plugin:unavailable");
  await s.timer("crash");
  await restarting;
  const waiting = d.createNetwork("other").then(
    () => "ok",
    (error: { code: string }) => error.code,
  );
  await unavailable;
  assert.is(await waiting, "ERR_PLUGIN_UNAVAILABLE");
});

test("half open: when its time is up one more try is made; what crashes again is out of service at once", async (t) => {
  const s = await scripted(t, { parts: { breakerOpen: 1 } });
  const d = s.driver();
  await d.createNetwork("net");
  const crash = async (outcome: "plugin:restarted" | "plugin:unavailable"): Promise<void> => {
    const next = event(s.host, outcome);
    await s.timer("crash");
    await next;
  };
  for (let i = 0; i < 4; i++) await crash("plugin:restarted");
  const back = event(s.host, "plugin:restarted");
  await crash("plugin:unavailable");
  await back;
  assert.is(s.host.plugins()[0]?.state, "running");
  assert.is(s.host.plugins()[0]?.refusal, undefined);
  assert.is((await rejection(d.createNetwork("net"))).code, "ERR_NETWORK_EXISTS");
  await d.createNetwork("second");
  const again = event(s.host, "plugin:restarted");
  await crash("plugin:unavailable");
  await again;
  await d.deleteNetwork("net");
  await d.deleteNetwork("second");
});

test("a breaker that is open makes no try once the plugin is unloaded", async (t) => {
  const s = await scripted(t, { parts: { breakerOpen: 1 } });
  for (let i = 0; i < 4; i++) {
    const restarted = event(s.host, "plugin:restarted");
    await s.timer("crash");
    await restarted;
  }
  const unavailable = event(s.host, "plugin:unavailable");
  await s.timer("crash");
  await unavailable;
  await s.host.unload("scripted");
  let tries = 0;
  s.host.on("plugin:restarted", () => {
    tries++;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.is(tries, 0);
  assert.is(s.host.plugins()[0]?.state, "stopped");
});

const faulty = (s: Scripted, more = ""): Promise<void> =>
  writeFile(join(s.dir, "scripted.js"), `export function init() { throw new Error("a typo"); }${more}`);

test("a version that does not start leaves an open breaker as it is: what has networks comes back when its time is up", async (t) => {
  const s = await scripted(t, { parts: { breakerOpen: 500 } });
  const d = s.driver();
  await d.createNetwork("net");
  const unavailable = event(s.host, "plugin:unavailable");
  for (let i = 0; i < 4; i++) {
    const restarted = event(s.host, "plugin:restarted");
    await s.timer("crash");
    await restarted;
  }
  await s.timer("crash");
  await unavailable;
  const back = event(s.host, "plugin:restarted");
  await faulty(s);
  assert.is((await rejection(s.host.reload("scripted"))).code, "ERR_PLUGIN_INIT");
  await back;
  assert.is(s.host.plugins()[0]?.state, "running");
  await d.deleteNetwork("net");
});

test("a version that does not start, while the one that ran has just crashed: the one that ran is restarted", async (t) => {
  const s = await scripted(t);
  const d = s.driver();
  await d.createNetwork("net");
  // Large, so that bundling it takes longer than the crash.
  await faulty(s, `export function large(f) { ${"f(0);".repeat(40_000)} }`);
  const back = event(s.host, "plugin:restarted");
  const refused = rejection(s.host.reload("scripted"));
  await s.timer("crash");
  assert.is((await refused).code, "ERR_PLUGIN_INIT");
  await back;
  assert.is(s.host.plugins()[0]?.state, "running");
  await d.deleteNetwork("net");
});

test("a version that does not start takes nothing off the record of the one that runs", async (t) => {
  const s = await scripted(t);
  const source = await readFile(join(s.dir, "scripted.js"));
  const unavailable = event(s.host, "plugin:unavailable");
  for (let i = 0; i < 5; i++) {
    const restarted = event(s.host, "plugin:restarted");
    await s.timer("crash");
    if (i < 4) await restarted;
    if (i !== 2) continue;
    await faulty(s);
    const { code, message } = await rejection(s.host.reload("scripted"));
    assert.is(code, "ERR_PLUGIN_INIT");
    assert.match(message, /a typo.*; the version that runs, sha256 [0-9a-f]{64}, keeps running$/);
    await writeFile(join(s.dir, "scripted.js"), source);
  }
  await unavailable;
});

test.run();

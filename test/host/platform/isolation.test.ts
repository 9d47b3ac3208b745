/** Isolation at the host: what is not there is said, never silently replaced by less. */
import { createPluginHost } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { house, plugin, row } from "./house.js";

const test = suite("host: isolation");

test("none named: a thread, with exactly one warning", async (t) => {
  const { open, log } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const host = await open({ isolation: undefined as never });
  assert.equal(
    host.plugins().map(({ isolation, state }) => [isolation, state]),
    [
      ["thread", "running"],
      ["thread", "running"],
    ],
  );
  const warnings = log.filter(({ level }) => level === "warn" || level === "error");
  assert.is(warnings.length, 1);
  assert.match(warnings[0]?.text ?? "", /isolation is "thread": plugins share this process/);
});

test("thread named: no warning", async (t) => {
  const { open, log } = await house(t, { "a.js": plugin("a") });
  await open();
  assert.equal(
    log.filter(({ level }) => level === "warn" || level === "error"),
    [],
  );
});

test("process or dedicated in the options: rejects", async (t) => {
  const { plugins } = await house(t, { "a.js": plugin("a") });
  for (const isolation of ["process", "dedicated"] as const) {
    const error = await rejection(createPluginHost({ plugins, isolation }));
    assert.is(error.code, "ERR_ISOLATION_UNAVAILABLE");
    assert.match(error.message, new RegExp(`isolation "${isolation}" is not available in this version; use "thread"`));
  }
});

test("in a manifest, a policy's entry or its defaults: that plugin is refused, and no weaker wall is taken", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a"),
    "a.plugin.json": '{ "isolation": "dedicated" }',
    "b.js": plugin("b"),
    "c.js": plugin("c"),
    "c.plugin.json": '{ "isolation": "thread" }',
  });
  const host = await open({ policy: { plugins: { b: { isolation: "process" }, c: { isolation: "thread" } } } });
  for (const name of ["a", "b"]) {
    assert.equal([row(host, name).state, row(host, name).refusal?.code], ["refused", "ERR_ISOLATION_UNAVAILABLE"]);
  }
  assert.is(row(host, "c").state, "running");
  const strict = await open({ policy: { defaults: { isolation: "process" } } });
  assert.is(row(strict, "b").refusal?.code, "ERR_ISOLATION_UNAVAILABLE");
  assert.is(row(strict, "c").refusal?.code, "ERR_ISOLATION_UNAVAILABLE");
});

test.run();

/** A capability that is missing or wrong: the error names the call, what stands there, and what belongs there. */
import { assert, suite } from "../../harness.js";
import { hear, house, row } from "../../kit/host.js";
import { plugin } from "../../kit/plugins.js";

const test = suite("host: a driver's capability");

const CASES: readonly (readonly [capability: string, says: RegExp])[] = [
  [
    "undefined",
    /registerDriver\("bad"\): its third argument is the capability, \{ scope: "local" \} or \{ scope: "global" \}, and is missing/,
  ],
  ['"local"', /its third argument is the capability, .*, not "local" \(bad\.js:\d+\)$/],
  ["{}", /the capability's scope is "local" or "global", and is missing/],
  ['{ scope: "" }', /the capability's scope is "local" or "global", not ""/],
  ['{ scope: "lokal" }', /the capability's scope is "local" or "global", not "lokal"/],
  ["{ scope: 5 }", /the capability's scope is "local" or "global", not 5/],
];

for (const [capability, says] of CASES) {
  test(capability, async (t) => {
    const { open } = await house(t, { "bad.js": plugin("bad", { capability }) });
    const { refusal } = row(await open(), "bad");
    assert.is(refusal?.code, "ERR_PLUGIN_INIT");
    assert.match(refusal?.message ?? "", says);
  });
}

test("the operator's event has the code", async (t) => {
  const { open, put } = await house(t, {});
  const host = await open();
  const heard = hear(host);
  await put({ "bad.js": plugin("bad", { capability: '{ scope: "lokal" }' }) });
  await host.reload("bad").catch(() => {});
  const refused = heard.find(({ name }) => name === "driver:refused");
  assert.equal({ ...refused?.event }, { plugin: "bad", type: "bad", code: "ERR_BAD_CAPABILITY" });
});

test.run();

/** A plugin that does not start in time: whether it waits, loops in init, or loops outside it, is told apart. */
import { assert, suite } from "../../harness.js";
import { house, row } from "../../kit/host.js";

const test = suite("host: an init that does not return");

const CASES = {
  waits: [
    "export const init = () => new Promise(() => {});",
    /init did not return within 1000 ms and is still waiting; look for an await/,
  ],
  loops: [
    "export function init() { for (;;); }",
    /init did not return within 1000 ms, and blocks its worker; look for a loop/,
  ],
  later: [
    "export async function init() { await null; for (;;); }",
    /init did not return within 1000 ms, and blocks its worker; look for a loop/,
  ],
  outside: [
    "for (;;);\nexport function init() {}",
    /its code was still being evaluated after 1000 ms; look for a loop outside init\(\)/,
  ],
} as const;

test("each fault has words of its own", async (t) => {
  const { open } = await house(
    t,
    Object.fromEntries(Object.entries(CASES).map(([name, [code]]) => [`${name}.js`, code])),
  );
  const host = await open({ policy: { defaults: { timeouts: { init: 1000 } } } });
  for (const [name, [, says]] of Object.entries(CASES)) {
    const { refusal } = row(host, name);
    assert.is(refusal?.code, "ERR_PLUGIN_INIT_TIMEOUT", name);
    assert.match(refusal?.message ?? "", says, name);
  }
});

test("what it printed ahead of an endless loop is seen", async (t) => {
  const place = await house(t, { "loops.js": 'export function init() { console.log("here"); for (;;); }' });
  await place.open({ policy: { defaults: { timeouts: { init: 1000 } } } });
  assert.ok(place.log.some(({ text, fields }) => text === "here" && fields.source === "plugin"));
});

test.run();

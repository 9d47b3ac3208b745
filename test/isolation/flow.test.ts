/** What one host process may send in a second, from any of its code: bytes, control messages. */
import { Flow } from "#dist/isolation/flow.js";
import { WALLS } from "#dist/isolation/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("isolation: flow");

const MOST = {
  bytes: WALLS.bytesPerSecond,
  controls: WALLS.controlsPerSecond,
} as const;

for (const what of ["bytes", "controls"] as const) {
  test(`${what}: up to the limit nothing, one more is a flood, with the limit in its words`, () => {
    const flow = new Flow();
    assert.is(flow.spend(what, MOST[what]), undefined);
    assert.match(flow.spend(what, 1) ?? "", `it flooded the platform: more than ${MOST[what]} `);
    for (const other of ["bytes", "controls"] as const)
      if (other !== what) assert.is(flow.spend(other, MOST[other]), undefined, "each has its own");
  });
}

test("a count that is begun again has all its room; the other has not", () => {
  const flow = new Flow();
  flow.spend("bytes", MOST.bytes);
  flow.spend("controls", MOST.controls);
  flow.restart("bytes");
  assert.is(flow.spend("bytes", MOST.bytes), undefined);
  assert.ok(flow.spend("controls", 1));
});

test("a second later there is room again", async () => {
  const flow = new Flow();
  assert.ok(flow.spend("controls", MOST.controls + 1));
  const clock = performance.now;
  try {
    performance.now = () => clock.call(performance) + 1001;
    assert.is(flow.spend("controls", MOST.controls), undefined);
  } finally {
    performance.now = clock;
  }
});

test.run();

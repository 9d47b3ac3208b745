/** Where commands look when nothing is named: in the working folder; where nothing stands there, at what the daemon uses. */
import { defaultOf } from "#dist/cli/default-places.js";
import { DEFAULTS } from "#dist/cli/serve/defaults.js";
import { assert, suite } from "../harness.js";

const test = suite("cli: default places");

for (const [key, here] of [
  ["plugins", "./plugins"],
  ["policy", "./bulkhead.config.json"],
  ["dataDir", "./data"],
] as const) {
  const daemon = DEFAULTS[key];
  for (const [there, expected] of [
    [[], here],
    [[here], here],
    [[daemon], daemon],
    [[here, daemon], here],
  ] as const)
    test(`${key}, where there is ${there.join(" and ") || "neither"}: ${expected}`, () => {
      assert.is(
        defaultOf(key, (path) => (there as readonly string[]).includes(path)),
        expected,
      );
    });
}

test("in a project that has no policy yet, the daemon's is not taken", () => {
  const exists = (path: string): boolean => path === "./plugins" || path === DEFAULTS.policy;
  assert.is(defaultOf("policy", exists), "./bulkhead.config.json");
});

test.run();

/** A rule of policy routing that another program removes while a table is being programmed is put back, although nobody saw it. */
import { type FirewallBackend, LACKS } from "#dist/permissions/firewall/backend.js";
import { RuleRestorer } from "#dist/permissions/firewall/restore-rules.js";
import { assert, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";

const test = suite("permissions/firewall/lacking");

test("what is missing when the tables are read back is not taken for what was programmed", async () => {
  let text = `table inet t { }\n${LACKS}a rule of policy routing for eg-a`;
  const put: string[][] = [];
  const tables = {
    ...{ loaded: true, rows: new Map([["row", {}]]), rules: [], bridges: ["eg-a"], guard: "guard" },
    own: [{ name: "t", plugin: "egress" }],
    inspect: async () => false,
    forward: async () => [],
    put: async (plugins: string[]) => {
      put.push(plugins);
      text = "table inet t { }";
    },
  };
  const backend = {
    guarded: false,
    listing: async () => new Map([["t", text]]),
    watch: () => ({ stop: async () => {} }),
  };
  const restorer = new RuleRestorer({
    ...{ backend: backend as unknown as FirewallBackend, tables: tables as never, logger: SILENT },
    around: { admit: async () => [], keep: async () => {} } as never,
    report() {},
    poll: async () => {},
  });
  await restorer.programmed([]);
  await restorer.remember();
  await restorer.restore();
  assert.equal(put, [["egress"]]);
  await restorer.restore();
  assert.is(put.length, 1, "what is right is left alone");
  await restorer.stop();
});

test.run();

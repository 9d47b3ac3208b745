/** The dashboard and the alerts ask for metrics and labels that a host has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { METRIC_NAMES } from "#dist/control/metrics.js";
import { assert, suite } from "../harness.js";
import { house, REPO } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("examples/monitoring");
const read = (name: string): string => readFileSync(join(REPO, "examples/monitoring", name), "utf8");

/** Every expression of the dashboard and of the alerts. */
function expressions(): readonly string[] {
  const { panels } = JSON.parse(read("dashboard.json")) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  const text = read("alerts.yml");
  const alerts = [...text.matchAll(/ expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)/g)];
  assert.is(alerts.length, text.split("- alert:").length - 1);
  return [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...alerts.map(([, block, line]) => block ?? line ?? ""),
  ];
}

test("every metric is one of the host's, with labels that it has", async (t) => {
  const home = await house(t, { "net.js": plugin("net", { methods: 'deleteNetwork() { throw new Error("no"); },' }) });
  const host = await home.open({ dataDir: home.path("data") });
  await host.driver("net").createNetwork("n");
  await host
    .driver("net")
    .deleteNetwork("n")
    .catch(() => {});
  const labels = new Map<string, Set<string>>();
  for (const [, name = "", given = ""] of (await host.metrics()).matchAll(/^(bulkhead_\w+)(?:\{(.*)\})? /gm)) {
    const known = labels.get(name) ?? new Set();
    for (const [, label = ""] of given.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  let metrics = 0;
  for (const expression of expressions()) {
    const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(/, ?/));
    for (const [, name = "", matchers = ""] of expression.matchAll(/\b(bulkhead_\w+)(?:\{([^}]*)\})?/g)) {
      metrics++;
      const base = name.replace(/_(bucket|sum|count)$/, "");
      assert.ok(METRIC_NAMES.includes(name) || METRIC_NAMES.includes(base), name);
      // A counter of what did not happen here, such as a termination, has no sample.
      const known = labels.get(name);
      if (!known) continue;
      for (const label of [...grouped, ...[...matchers.matchAll(/(\w+)[=!]/g)].map(([, one = ""]) => one)])
        assert.ok(known.has(label), `${name} has no label ${label}: ${expression}`);
    }
  }
  assert.ok(metrics > 20);
});

test.run();

/** Class G: an attacker who owns the worker's realm, on the link's own port. Each attack is judged by `attack` (owned-host.ts). */
import { suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { ahead } from "./ahead.js";
import { type Case, cases } from "./cases/class-g.js";
import { outcomeSeen } from "./outcomes.js";
import { attack } from "./owned-host.js";
import { lanesOf, OwnedHosts } from "./owned-hosts.js";
import { chosenIsolations } from "./run-class.js";

for (const isolation of chosenIsolations()) {
  const test = suite(`hostile: class G, the raw port (${isolation})`);
  const needs = isolation === "thread" ? undefined : noBubblewrap;
  const hosts = new OwnedHosts(isolation);
  const resultOf = ahead<Case & { alone?: true }, Awaited<ReturnType<typeof attack>>>(
    cases,
    lanesOf(isolation),
    async (one, lane) => attack(await hosts.of(lane), one.attack, one.expected),
  );
  for (const one of cases) {
    const { item, title } = one;
    test(
      `${item}: ${title}`,
      async () =>
        outcomeSeen({
          item,
          title,
          isolation,
          outcome: await resultOf(one),
          heavy: one.expected !== "nothing" && one.expected.heavy === true,
        }),
      {
        needs,
      },
    );
  }
  test(
    "the hosts close, and nothing is left",
    async () => console.log(`\nNOTE class G (${isolation}): ${await hosts.close()}`),
    { needs },
  );
  test.run();
}

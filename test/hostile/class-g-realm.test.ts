/** Class G past the ports: descriptors, signals and aborts of an attacker who owns the worker's realm. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { ahead } from "./ahead.js";
import type { Outcome } from "./case.js";
import { REALM, type RealmCase } from "./cases/class-g-realm.js";
import { outcomeSeen } from "./outcomes.js";
import { lanesOf, OwnedHosts } from "./owned-hosts.js";
import { chosenIsolations } from "./run-class.js";
import { seize } from "./seize.js";

const RUN_OWNED = fileURLToPath(new URL("./run-owned.js", import.meta.url));

for (const isolation of chosenIsolations()) {
  const test = suite(`hostile: class G, the realm's process (${isolation})`);
  if (isolation === "thread") {
    for (const { item, title, attack, thread } of REALM) {
      if (thread === undefined) continue;
      test(
        `${item}: ${title}: not stopped`,
        async (t) => {
          // It does not live to remove its folder.
          const env = { ...process.env, TMPDIR: await t.folder() };
          const child = spawn(process.execPath, [RUN_OWNED, JSON.stringify(attack)], { env, stdio: "ignore" });
          t.cleanup(() => child.kill("SIGKILL"));
          const by = await new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
          assert.is(by, thread);
          console.log(`\nNOTE ${item} ${title}: not stopped under isolation "thread"`);
          outcomeSeen({ item, title, isolation, outcome: "not stopped (named)" });
        },
        { ms: 120_000 },
      );
    }
  } else {
    const hosts = new OwnedHosts(isolation, { timeouts: { default: 30_000 } });
    const resultOf = ahead<RealmCase & { alone?: true }, Outcome>(REALM, lanesOf(isolation), async (one, lane) =>
      seize(await hosts.of(lane), one),
    );
    for (const one of REALM) {
      const { item, title } = one;
      test(
        `${item}: ${title}`,
        async () => {
          const outcome = await resultOf(one);
          console.log(`     ${title}: ${outcome}`);
          outcomeSeen({ item, title, isolation, outcome });
        },
        { needs: noBubblewrap },
      );
    }
    test(
      "the hosts close, and nothing is left",
      async () => console.log(`\nNOTE class G, realm (${isolation}): ${await hosts.close()}`),
      { needs: noBubblewrap },
    );
  }
  test.run();
}

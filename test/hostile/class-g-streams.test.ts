/**
 * Class G on the streams of a shared host process, with a neighbour in it: the process ends with both, the neighbour is not
 * blamed, and nothing that was forged is taken for its word.
 */
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { row } from "../kit/host.js";
import { STREAMS } from "./cases/class-g-realm.js";
import { outcomeSeen } from "./outcomes.js";
import { ownedHost } from "./owned-host.js";
import { chosenIsolations } from "./run-class.js";
import { seize } from "./seize.js";

if (chosenIsolations().includes("process")) {
  const test = suite("hostile: class G, a neighbour's stream");
  for (const one of STREAMS) {
    test(
      one.title,
      async () => {
        const owned = await ownedHost("process");
        const { host } = owned;
        const violations: unknown[] = [];
        host.on("violation", (event) => violations.push(event));
        try {
          const { pid } = row(host, "neighbour");
          assert.is(row(host, "mallory").pid, pid, "they share a process");
          const outcome = await seize(owned, one);
          // A read takes something only if it comes before the neighbour's own.
          const heavy = one.title.startsWith("reading");
          outcomeSeen({ item: one.item, title: one.title, isolation: "process", outcome, heavy });
          if (outcome === "plugin ended") return;
          await until(() => row(host, "neighbour").state === "running", "the neighbour", 15_000);
          assert.is.not(row(host, "neighbour").pid, pid);
          assert.equal(violations, []);
        } finally {
          await owned.close();
        }
      },
      { ms: 90_000, needs: noBubblewrap },
    );
  }
  test.run();
}

/** What is over is not served: a query whose deadline has passed, one of a former process, a listener whose bridge is gone. */
import { RESOLVER } from "#dist/permissions/resolver/limits.js";
import type { ModelResolver } from "#dist/permissions/resolver/model/model-resolver.js";
import { PluginQueries } from "#dist/permissions/resolver/queries.js";
import { assert, suite } from "../../harness.js";
import { bridgeOf } from "../firewall/backends.js";
import { onBoth } from "../netlink/backends.js";
import { resolverBench } from "./backends.js";

const test = suite("permissions/resolver/stale");

test("a query is answered once, by its deadline, and by the plugin that has it", async () => {
  let now = 0;
  const queries = new PluginQueries(
    () => now,
    () => {},
  );
  const query = { ip: "10.64.1.1", from: "10.64.1.2", tcp: false, message: "" };
  for (const id of [7, 8]) queries.add({ id, ...query });
  assert.is(queries.take(7), false, "no worker has it yet");
  assert.equal(
    (await queries.next("w")).map(({ id }) => id),
    [7, 8],
  );
  assert.is(queries.take(9), false);
  assert.is(queries.take(7), true);
  assert.is(queries.take(7), false, "once");
  now = RESOLVER.queryMs;
  assert.is(queries.take(8), false, "too late");
  queries.close();
});

onBoth(
  test,
  "a bridge that is deleted takes its listener with it: the next bridge with its address can have one",
  async (t, kind) => {
    const { ask, open, openResolver, resolver } = await resolverBench(t, kind);
    await bridgeOf(ask, "bh-a", "10.64.1.1/24");
    await bridgeOf(ask, "bh-b", "10.64.2.1/24");
    const own = openResolver("bridge");
    await own.ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
    await own.ask("listen", { bridge: "bh-b", ip: "10.64.2.1" });
    await ask("deleteLink", "bh-a");
    await bridgeOf(open("other", { prefix: "ot" }), "ot-a", "10.64.1.1/24");
    await openResolver("other").ask("listen", { bridge: "ot-a", ip: "10.64.1.1" });
    if (kind === "model")
      assert.equal([...(resolver.backend as ModelResolver).listeners.keys()].toSorted(), ["10.64.1.1", "10.64.2.1"]);
    // What the former owner stops is not the new one's.
    await own.ask("stop", { ip: "10.64.1.1" });
    if (kind === "model") assert.ok((resolver.backend as ModelResolver).listeners.has("10.64.1.1"));
  },
);

test.run();

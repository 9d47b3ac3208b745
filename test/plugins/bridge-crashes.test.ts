/** The bridge driver's worker goes at every step of every call: links, records and driver agree afterwards. */
import { EndpointConfig, type HostedDriver, JoinConfig } from "#dist/index.js";
import type { NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import type { NetlinkHub } from "#dist/permissions/netlink/hub.js";
import type { TestHost } from "#dist/testing.js";
import { assert, suite, type TestContext } from "../harness.js";
import { onBoth } from "../permissions/netlink/backends.js";
import { generic, type Kind, serve } from "./shipped.js";

const test = suite("plugins/bridge: crashes");

const OPTIONS = generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" });

/** A call, and the life before it. */
interface Step {
  readonly before: readonly (keyof typeof STEPS)[];
  run(driver: HostedDriver): Promise<unknown>;
  /** What undoes it, for sure: NotFound is fine. */
  undo?(driver: HostedDriver): Promise<unknown>;
  /** Which of its changes to the kernel the worker goes at. */
  readonly changes: number;
}

const STEPS = {
  createNetwork: {
    before: [],
    run: (driver) => driver.createNetwork("n", OPTIONS),
    undo: (driver) => driver.deleteNetwork("n"),
    // The bridge, two addresses, up.
    changes: 4,
  },
  createEndpoint: {
    before: ["createNetwork"],
    run: (driver) => driver.createEndpoint("n", "e", new EndpointConfig()),
    undo: (driver) => driver.deleteEndpoint("n", "e"),
    // The pair, and onto the bridge.
    changes: 2,
  },
  join: {
    before: ["createNetwork", "createEndpoint"],
    run: (driver) => driver.join("n", "e", "/sandbox", new JoinConfig()),
    undo: (driver) => driver.leave("n", "e"),
    changes: 0,
  },
  leave: {
    before: ["createNetwork", "createEndpoint", "join"],
    run: (driver) => driver.leave("n", "e"),
    changes: 0,
  },
  deleteEndpoint: {
    before: ["createNetwork", "createEndpoint"],
    run: (driver) => driver.deleteEndpoint("n", "e"),
    changes: 1,
  },
  deleteNetwork: {
    before: ["createNetwork"],
    run: (driver) => driver.deleteNetwork("n"),
    changes: 1,
  },
} as const satisfies Record<string, Omit<Step, "before"> & { readonly before: readonly string[] }>;

/** Ends the worker at the `nth` change from now on, ahead of it or right after. */
function killAt(
  host: TestHost,
  hub: NetlinkHub,
  nth: number,
  when: "ahead" | "after",
): { readonly back: Promise<void> } {
  let resolve = (_: Promise<void>): void => {};
  const back = new Promise<void>((go) => {
    resolve = go;
  });
  let count = 0;
  const backend = hub.backend as { apply: NetlinkBackend["apply"] };
  const apply = backend.apply.bind(backend);
  backend.apply = async (units) => {
    const here = ++count === nth;
    if (here && when === "ahead") resolve(host.kill());
    const applied = await apply(units);
    if (here && when === "after") resolve(host.kill());
    return applied;
  };
  return { back };
}

async function crash(
  t: TestContext,
  kind: Kind,
  name: keyof typeof STEPS,
  nth: number,
  when: "ahead" | "after",
): Promise<void> {
  const { host, hub } = await serve(t, "bridge", kind);
  const driver = host.driver();
  const step: Step = STEPS[name];
  for (const before of step.before) await STEPS[before].run(driver);
  const links = await host.links();
  const { back } = killAt(host, hub, nth, when);
  const outcome = await step.run(driver).then(
    () => "done",
    (error: { readonly code: string }) => error.code,
  );
  const words = `${name}, change ${nth}, killed ${when}`;
  assert.ok(["done", "ERR_OUTCOME_UNKNOWN"].includes(outcome), `${words}: ${outcome}`);
  await back;
  // What the host undoes or completes behind the caller's back is done once the next call on the same id has its turn.
  const settled = (step.undo ?? step.run)(driver).then(
    () => "done",
    (error: { readonly kind: string }) => error.kind,
  );
  assert.ok(["done", "NotFound"].includes(await settled), words);
  if (step.undo) assert.equal(await host.links(), links, `${words}: links that are left`);

  // The rest of the life, and then nothing is there.
  await driver.createNetwork("n", OPTIONS).catch(() => {});
  await driver.createEndpoint("n", "e", new EndpointConfig()).catch(() => {});
  assert.is((await driver.endpointOperInfo("n", "e")).up, true, words);
  await driver.deleteEndpoint("n", "e");
  await driver.deleteNetwork("n");
  assert.equal(await host.links(), ["lo"], words);
}

for (const name of Object.keys(STEPS) as (keyof typeof STEPS)[]) {
  for (let nth = 1; nth <= STEPS[name].changes; nth++) {
    for (const when of ["ahead", "after"] as const) {
      onBoth(
        test,
        `${name}: the worker goes at change ${nth}, ${when === "ahead" ? "before it is done" : "when it is done"}`,
        (t, kind) => crash(t, kind, name, nth, when),
      );
    }
  }
}

onBoth(test, "the counts of changes above are what the calls take", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const backend = hub.backend as { apply: NetlinkBackend["apply"] };
  const apply = backend.apply.bind(backend);
  let count = 0;
  backend.apply = (units) => {
    count++;
    return apply(units);
  };
  for (const name of ["createNetwork", "createEndpoint", "join", "leave", "deleteEndpoint", "deleteNetwork"] as const) {
    count = 0;
    await STEPS[name].run(host.driver());
    assert.is(count, STEPS[name].changes, name);
  }
});

onBoth(test, "many networks and endpoints at once, and none is left", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const driver = host.driver();
  const [networks, endpoints] = [8, 8];
  const before = hub.invocations;
  const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
  await Promise.all(
    ids(networks).map(async (n) => {
      await driver.createNetwork(`n${n}`, generic({ subnet: `10.64.${n}.0/24`, subnet6: `fd64:0:0:${n}::/64` }));
      await Promise.all(ids(endpoints).map((e) => driver.createEndpoint(`n${n}`, `e${e}`, new EndpointConfig())));
    }),
  );
  assert.is((await host.links()).length, 1 + networks * (1 + 2 * endpoints));
  await Promise.all(
    ids(networks).map(async (n) => {
      await Promise.all(ids(endpoints).map((e) => driver.deleteEndpoint(`n${n}`, `e${e}`)));
      await driver.deleteNetwork(`n${n}`);
    }),
  );
  assert.equal(await host.links(), ["lo"]);
  const runs = hub.invocations - before;
  // One by one it would be four changes a network, two an endpoint, and a delete of each.
  assert.ok(runs < networks * 5 + networks * endpoints * 3, `${runs} runs of ip`);
});

test.run();

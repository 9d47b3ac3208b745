/** The bridge driver's worker goes at every step of every call: links, marks, namespaces, journal and driver agree afterwards. */
import { journalOf } from "#dist/host/plugin-host.js";
import { type AttachedSandbox, EndpointConfig, type HostedDriver, JoinConfig, type PluginHost } from "#dist/index.js";
import type { NetlinkBackend } from "#dist/permissions/netlink/backend.js";
import type { NetlinkHub } from "#dist/permissions/netlink/hub.js";
import { readMark } from "#dist/permissions/netlink/ledger.js";
import type { TestHost } from "#dist/testing.js";
import { assert, suite, type TestContext } from "../harness.js";
import { onDriverKinds } from "../permissions/netlink/backends.js";
import { namespace } from "../sandbox/bench.js";
import { generic, type Kind, serve } from "./shipped.js";

const test = suite("plugins/bridge: crashes");

const OPTIONS = generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" });

/** What a call is made on. */
interface Life {
  readonly host: PluginHost;
  /** The endpoint's sandbox. */
  readonly box: string;
  attached?: AttachedSandbox;
}

/** A call, and the life before it. */
interface Step {
  readonly before: readonly (keyof typeof STEPS)[];
  run(driver: HostedDriver, life: Life): Promise<unknown>;
  /** What undoes it, for sure: NotFound is fine. */
  undo?(driver: HostedDriver, life: Life): Promise<unknown>;
  /** Which of its changes to the kernel the worker goes at; it also goes when the call has just been sent. */
  readonly changes: number;
}

const STEPS = {
  createNetwork: {
    before: [],
    run: (driver) => driver.createNetwork("n", OPTIONS),
    undo: (driver) => driver.deleteNetwork("n"),
    // The bridge, two addresses, up.
    changes: 1,
  },
  createEndpoint: {
    before: ["createNetwork"],
    run: (driver) => driver.createEndpoint("n", "e", new EndpointConfig()),
    undo: (driver) => driver.deleteEndpoint("n", "e"),
    // The pair, and onto the bridge.
    changes: 1,
  },
  join: {
    before: ["createNetwork", "createEndpoint"],
    run: (driver, { box }) => driver.join("n", "e", box, new JoinConfig()),
    undo: (driver) => driver.leave("n", "e"),
    changes: 0,
  },
  attach: {
    before: ["createNetwork", "createEndpoint", "join"],
    run: async (_, life) => {
      life.attached = await life.host.attach({ type: "bridge", nid: "n", eid: "e" });
    },
    undo: async (_, { attached }) => attached?.detach(),
    // The move; what follows is done inside.
    changes: 1,
  },
  detach: {
    before: ["createNetwork", "createEndpoint", "join", "attach"],
    run: async (_, { attached }) => attached?.detach(),
    // The link that is back is looked at.
    changes: 1,
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

/** Every link bears its plugin's mark and is its own; what the journal holds is live, and has just these links; the sandbox is empty. */
async function agree({ host, box }: Life, hub: NetlinkHub, words: string): Promise<void> {
  const links = [...(await hub.backend.look()).links.values()].filter(({ name }) => name !== "lo");
  for (const { name, alias } of links) {
    const mark = readMark(alias);
    assert.equal([mark?.plugin, mark?.name], ["bridge", name], `${words}: the mark of ${name}`);
    assert.ok(hub.owns("bridge", name), `${words}: ${name} in the ledger`);
  }
  const rows = (await journalOf(host)?.load("bridge")) ?? [];
  assert.ok(
    rows.every(({ entry }) => entry.phase === "live"),
    `${words}: ${JSON.stringify(rows)}`,
  );
  const networks = rows.filter(({ key }) => key.eid === undefined).length;
  const endpoints = rows.filter(({ key }) => key.eid !== undefined && !key.join).length;
  assert.is(links.length, networks + 2 * endpoints, `${words}: links of ${JSON.stringify(rows.map(({ key }) => key))}`);
  assert.equal([...(await hub.backend.elsewhere(box).look()).links.keys()], ["lo"], `${words}: the sandbox`);
}

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
  const life: Life = { host: host.host, box: namespace(t, kind) };
  const step: Step = STEPS[name];
  for (const before of step.before) await STEPS[before].run(driver, life);
  const links = await host.links();
  const kill = nth > 0 ? killAt(host, hub, nth, when) : undefined;
  const call = step.run(driver, life);
  const back = kill?.back ?? host.kill();
  const outcome = await call.then(
    () => "done",
    (error: { readonly code: string }) => error.code,
  );
  const words = `${name}, change ${nth}, killed ${when}`;
  // A call that was sent, and that the worker has not begun.
  const honest = ["done", "ERR_OUTCOME_UNKNOWN", ...(nth === 0 ? ["ERR_DRIVER_BUSY"] : [])];
  assert.ok(honest.includes(outcome), `${words}: ${outcome}`);
  await back;
  // What the host undoes or completes behind the caller's back is done once the next call on the same id has its turn.
  const settled = (step.undo ?? step.run)(driver, life).then(
    () => "done",
    (error: { readonly kind: string; readonly code: string }) =>
      error.code === "ERR_ENDPOINT_NOT_JOINED" ? "done" : error.kind,
  );
  assert.ok(["done", "NotFound"].includes(await settled), words);
  if (step.undo) assert.equal(await host.links(), links, `${words}: links that are left`);
  await agree(life, hub, words);

  // The rest of the life, and then nothing is there.
  await driver.leave("n", "e").catch(() => {});
  await driver.createNetwork("n", OPTIONS).catch(() => {});
  await driver.createEndpoint("n", "e", new EndpointConfig()).catch(() => {});
  assert.is((await driver.endpointOperInfo("n", "e")).up, true, words);
  await driver.deleteEndpoint("n", "e");
  await driver.deleteNetwork("n");
  assert.equal(await host.links(), ["lo"], words);
  await agree(life, hub, `${words}, at the end`);
}

for (const name of Object.keys(STEPS) as (keyof typeof STEPS)[]) {
  onDriverKinds(test, `${name}: the worker goes when the call has been sent`, (t, kind) =>
    crash(t, kind, name, 0, "ahead"),
  );
  for (let nth = 1; nth <= STEPS[name].changes; nth++) {
    for (const when of ["ahead", "after"] as const) {
      onDriverKinds(
        test,
        `${name}: the worker goes at change ${nth}, ${when === "ahead" ? "before it is done" : "when it is done"}`,
        (t, kind) => crash(t, kind, name, nth, when),
      );
    }
  }
}

onDriverKinds(test, "the counts of changes above are what the calls take", async (t, kind) => {
  const { host, hub } = await serve(t, "bridge", kind);
  const backend = hub.backend as { apply: NetlinkBackend["apply"] };
  const apply = backend.apply.bind(backend);
  let count = 0;
  backend.apply = (units) => {
    count++;
    return apply(units);
  };
  const life: Life = { host: host.host, box: namespace(t, kind) };
  const whole = [
    ...(["createNetwork", "createEndpoint", "join", "attach"] as const),
    ...(["detach", "leave", "deleteEndpoint", "deleteNetwork"] as const),
  ];
  assert.equal([...whole].sort(), Object.keys(STEPS).sort());
  for (const name of whole) {
    count = 0;
    await STEPS[name].run(host.driver(), life);
    assert.is(count, STEPS[name].changes, name);
  }
});

onDriverKinds(test, "many networks and endpoints at once, and none is left", async (t, kind) => {
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

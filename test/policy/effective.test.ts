/** The effective grant: manifest asks, policy grants, the lower wins; every rule of examples/serve/README.md. */
import { DRIVER_METHODS, OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/constants.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";
import { type Effective, effectiveGrant } from "#dist/policy/effective.js";
import { missingText } from "#dist/policy/grant-command.js";
import type { Manifest } from "#dist/policy/manifest/schema.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import type { Policy, PolicyEntry } from "#dist/policy/schema.js";
import { assert, suite } from "../harness.js";

const test = suite("policy/effective");

function effective(manifest: Manifest | undefined, entry?: PolicyEntry, defaults?: Policy["defaults"]): Effective {
  const policy = parsePolicy({ defaults, plugins: entry && { x: entry } });
  return effectiveGrant({ id: "x", manifest, policy });
}

const HARMLESS = Object.fromEntries(
  Object.entries(PERMISSIONS).flatMap(([name, row]) => (row.harmless ? [[name, row.defaults]] : [])),
);

test("a bare file gets the harmless defaults: local scope, its own type, 32 MiB, 8 drivers, 5 s, init 3 s", () => {
  const got = effective(undefined);
  assert.equal(got.permissions, HARMLESS);
  assert.equal(got.permissions.store, { bytes: 65_536, keys: 256 });
  assert.equal(got.permissions.log, { linesPerSecond: 200, lineChars: 4096 });
  assert.equal(got.permissions.clock, { resolutionMs: 1 });
  assert.equal(got.permissions.timers, { minimumMs: 1, count: 256 });
  assert.equal(Object.keys(got.permissions).sort(), ["clock", "log", "random", "store", "timers"]);
  assert.equal(got.missing, []);
  assert.is(got.scope, "local");
  assert.equal(got.networkTypes, ["x"]);
  assert.is(got.memoryMb, 32);
  assert.is(got.drivers, 8);
  assert.is(got.cpuPercent, 50);
  assert.is(got.isolation, "process");
  assert.is(got.sha256, undefined);
  assert.is(got.recovery, "replay");
  assert.equal(got.options, {});
  for (const method of [...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS]) assert.is(got.timeouts[method], 5000, method);
  assert.is(got.timeouts.init, 3000);
});

test("without permissions in a manifest, the policy's names are what is asked", () => {
  for (const manifest of [undefined, {}, { scope: "local" } as const]) {
    assert.equal(effective(manifest).permissions, HARMLESS);
    assert.equal(effective(manifest, { grant: {} }).permissions, HARMLESS);
    assert.equal(effective(manifest, { grant: { scope: "global" } }).permissions, HARMLESS);
    assert.equal(effective(manifest, { grant: { log: true } }).permissions, { log: PERMISSIONS.log.defaults });
    assert.equal(effective(manifest, { grant: { store: { bytes: 1 << 20 } } }).permissions, {
      store: { bytes: 1 << 20, keys: 256 },
    });
  }
});

test("a manifest with permissions gets exactly these, harmless ones without a word in the policy", () => {
  assert.equal(effective({ permissions: { log: true } }).permissions, { log: PERMISSIONS.log.defaults });
  assert.equal(effective({ permissions: {} }).permissions, {});
  assert.equal(effective({ permissions: { log: true } }, { grant: { store: true } }).permissions, {
    log: PERMISSIONS.log.defaults,
  });
});

test("limits: the lower number, the higher floor, absent on one side the other's, absent on both the default", () => {
  const store = (asked: Manifest["permissions"], grant?: PolicyEntry["grant"]) =>
    effective({ permissions: asked ?? {} }, grant ? { grant } : undefined).permissions.store;
  assert.equal(store({ store: { bytes: 100 } }), { bytes: 100, keys: 256 });
  assert.equal(store({ store: { bytes: 1 << 20, keys: 1000 } }), { bytes: 65_536, keys: 256 });
  assert.equal(store({ store: { bytes: 100, keys: 9 } }, { store: { bytes: 50 } }), { bytes: 50, keys: 9 });
  assert.equal(store({ store: { bytes: 100 } }, { store: { bytes: 500, keys: 3 } }), { bytes: 100, keys: 3 });
  assert.equal(store({ store: true }, { store: { bytes: 1 << 20 } }), { bytes: 1 << 20, keys: 256 });
  assert.equal(store({ store: true }, { store: true }), { bytes: 65_536, keys: 256 });
  assert.equal(store({ store: { bytes: 1 << 20 } }, { store: true }), { bytes: 1 << 20, keys: 256 });

  const { timers } = effective(
    { permissions: { timers: { minimumMs: 1, count: 5 } } },
    { grant: { timers: { minimumMs: 20, count: 9 } } },
  ).permissions;
  assert.equal(timers, { minimumMs: 20, count: 5 }, "a plugin cannot ask itself below the operator's floor");
  assert.equal(effective({ permissions: { clock: { resolutionMs: 100 } } }).permissions.clock, { resolutionMs: 100 });
});

test("a limit asked above the grant's is lowered, not missing", () => {
  assert.equal(
    effective({ permissions: { store: { bytes: 1 << 20 } } }, { grant: { store: { bytes: 5 } } }).missing,
    [],
  );
});

test("scope: the lower; asked and not granted is missing", () => {
  assert.is(effective({ scope: "global" }, { grant: { scope: "global" } }).scope, "global");
  assert.is(effective({}, { grant: { scope: "global" } }).scope, "local");
  assert.is(effective({ scope: "local" }, { grant: { scope: "global" } }).scope, "local");
  for (const entry of [undefined, {}, { grant: {} }, { grant: { scope: "local" } }] as const) {
    const got = effective({ scope: "global" }, entry);
    assert.is(got.scope, "local");
    assert.equal(got.missing, [{ permission: "scope", asked: "global", granted: "local" }]);
  }
  assert.is(
    effective(undefined, { grant: { scope: "global" } }).scope,
    "global",
    "a bare file takes what its policy names",
  );
});

test("a permission that is not harmless is missing until the policy names it", () => {
  const catalogue = {
    ...PERMISSIONS,
    danger: { harmless: false, gives: "", limits: PERMISSIONS.random.limits, defaults: {}, floors: [] },
  };
  const manifest = { permissions: { log: true, danger: { hosts: ["a"] } } } as unknown as Manifest;
  const without = effectiveGrant({ id: "x", manifest, policy: {}, catalogue });
  assert.equal(without.missing, [{ permission: "danger", asked: { hosts: ["a"] }, granted: null }]);
  assert.equal(Object.keys(without.permissions), ["log"]);
  const policy = { plugins: { x: { grant: { danger: { hosts: ["b", "a"] } } } } } as unknown as Policy;
  const withGrant = effectiveGrant({ id: "x", manifest, policy, catalogue });
  assert.equal(withGrant.missing, []);
  assert.equal(withGrant.permissions as unknown, { log: PERMISSIONS.log.defaults, danger: { hosts: ["a"] } });
  const other = { plugins: { y: { grant: { danger: true } } } } as unknown as Policy;
  assert.is(effectiveGrant({ id: "x", manifest, policy: other, catalogue }).missing.length, 1);
  assert.equal(
    Object.keys(effectiveGrant({ id: "x", manifest: undefined, policy: {}, catalogue }).permissions),
    Object.keys(HARMLESS),
  );
});

test("timeouts: the policy's most particular word, and the lower of it and the manifest's", () => {
  const join = (
    manifest?: Manifest["timeouts"],
    own?: PolicyEntry["timeouts"],
    common?: PolicyEntry["timeouts"],
  ): number =>
    effective(manifest && { timeouts: manifest }, own && { timeouts: own }, common && { timeouts: common }).timeouts
      .join;
  assert.is(join(undefined, { join: 1, default: 2 }, { join: 3, default: 4 }), 1);
  assert.is(join(undefined, { default: 2 }, { join: 3, default: 4 }), 2);
  assert.is(join(undefined, { leave: 1 }, { join: 3, default: 4 }), 3);
  assert.is(join(undefined, undefined, { default: 4 }), 4);
  assert.is(join(undefined, undefined, { default: 60_000 }), 60_000);
  assert.is(join({ join: 70, default: 10 }), 70);
  assert.is(join({ default: 10 }), 10);
  assert.is(join({ default: 9000 }), 5000);
  assert.is(join({ join: 9000 }, { join: 8000 }), 8000);
  assert.is(join({ join: 100 }, { join: 8000 }), 100);
  assert.is(join({ leave: 100 }), 5000);
});

test("init has its own deadline, which default does not touch", () => {
  const init = (
    manifest?: Manifest["timeouts"],
    own?: PolicyEntry["timeouts"],
    common?: PolicyEntry["timeouts"],
  ): number =>
    effective(manifest && { timeouts: manifest }, own && { timeouts: own }, common && { timeouts: common }).timeouts
      .init;
  assert.is(init({ default: 1 }, { default: 2 }, { default: 4 }), 3000);
  assert.is(init({ init: 100 }), 100);
  assert.is(init({ init: 9000 }), 3000);
  assert.is(init({ init: 9000 }, { init: 10_000 }, { init: 1 }), 9000);
  assert.is(init(undefined, undefined, { init: 7 }), 7);
});

test("memory and drivers: the manifest can only lower", () => {
  assert.is(effective({ limits: { memoryMb: 16, drivers: 2 } }).memoryMb, 16);
  assert.is(effective({ limits: { memoryMb: 16, drivers: 2 } }).drivers, 2);
  assert.is(effective({ limits: { memoryMb: 256, drivers: 64 } }).memoryMb, 32);
  assert.is(effective({ limits: { memoryMb: 256, drivers: 64 } }).drivers, 8);
  assert.is(
    effective({ limits: { memoryMb: 256 } }, { limits: { memoryMb: 128 } }, { limits: { memoryMb: 4 } }).memoryMb,
    128,
  );
  assert.is(effective(undefined, { limits: { drivers: 3 } }, { limits: { memoryMb: 64, drivers: 1 } }).memoryMb, 64);
  assert.is(effective(undefined, undefined, { limits: { drivers: 1 } }).drivers, 1);
});

test("isolation: the operator's word, the host's where the policy has none; a manifest only strengthens it", () => {
  const isolation = (
    manifest?: Manifest["isolation"],
    own?: Manifest["isolation"],
    common?: Manifest["isolation"],
    host?: Manifest["isolation"],
  ) =>
    effectiveGrant({
      id: "x",
      manifest: manifest && { isolation: manifest },
      policy: parsePolicy({ defaults: { isolation: common }, plugins: { x: { isolation: own } } }),
      hostIsolation: host,
    }).isolation;
  assert.is(isolation(), "process");
  assert.is(isolation("thread"), "process");
  assert.is(isolation(undefined, undefined, undefined, "thread"), "thread");
  assert.is(isolation("process"), "process");
  assert.is(isolation("thread", "dedicated"), "dedicated");
  assert.is(isolation("dedicated", "thread"), "dedicated");
  assert.is(isolation("process", "thread", "dedicated"), "process");
  assert.is(isolation(undefined, undefined, "dedicated", "thread"), "dedicated");
  assert.is(isolation(undefined, "thread", "dedicated", "process"), "thread");
  assert.is(isolation("thread", undefined, undefined, "process"), "process");
});

test("isolation: what reaches beyond the plugin is dedicated, whatever anybody says; hosts of tests hold threads alone", () => {
  const netlink = { kinds: ["bridge"], prefix: "bhx", subnets: ["10.64.0.0/24"] } as const;
  const policy = parsePolicy({ plugins: { x: { isolation: "thread", grant: { netlink } } } });
  const question = { id: "x", manifest: undefined, policy, hostIsolation: "thread" } as const;
  assert.is(effectiveGrant(question).isolation, "dedicated");
  assert.is(effectiveGrant({ ...question, threadsOnly: true }).isolation, "thread");
  const waits = { ...question, policy: parsePolicy({}), manifest: { permissions: { netlink } } };
  assert.is(effectiveGrant(waits).isolation, "thread", "what is only asked for is not held");
});

for (const name of ["netlink", "firewall", "fetch", "cluster"]) {
  test(`isolation: ${name} is dedicated, once it is granted`, () => {
    const catalogue = { ...PERMISSIONS, [name]: { ...PERMISSIONS.log, harmless: false } };
    const policy = { plugins: { x: { isolation: "thread", grant: { [name]: true } } } } as unknown as Policy;
    const question = { id: "x", manifest: undefined, policy, hostIsolation: "thread", catalogue } as const;
    assert.is(effectiveGrant(question).isolation, "dedicated");
    assert.is(effectiveGrant({ ...question, policy: {} }).isolation, "thread");
  });
}

test("network types: those that the policy names, where it names any; the others are missing", () => {
  const got = effective({ networkTypes: ["a", "b", "c"] }, { networkTypes: ["b", "z"] });
  assert.equal(got.networkTypes, ["b"]);
  assert.equal(got.missing, [
    { permission: "networkTypes", asked: "a", granted: null },
    { permission: "networkTypes", asked: "c", granted: null },
  ]);
  assert.is(missingText(got.missing), 'networkTypes "a", networkTypes "c"');
  assert.equal(effective(undefined, { networkTypes: ["y"] }).networkTypes, []);
  assert.equal(effective(undefined, { networkTypes: ["x"] }).missing, []);
});

test("network types, options, recovery and sha256 are passed on", () => {
  const got = effective(
    { networkTypes: ["a", "b"], recovery: "self" },
    { options: { a: { k: 1 } }, sha256: "AB".repeat(32) },
  );
  assert.equal(got.networkTypes, ["a", "b"]);
  assert.equal(got.options, { a: { k: 1 } });
  assert.is(got.recovery, "self");
  assert.is(got.sha256, "ab".repeat(32));
});

test("a plugin called constructor has no entry it was not given", () => {
  const got = effectiveGrant({ id: "constructor", manifest: { scope: "global" }, policy: { plugins: {} } });
  assert.is(got.scope, "local");
  assert.equal(got.networkTypes, ["constructor"]);
});

test.run();

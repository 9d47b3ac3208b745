/** The intersection never gives more than either side, and never takes when a side gives more. */
import fc from "fast-check";
import { type Limits, type LimitValue, PERMISSIONS, type PermissionRow } from "#dist/permissions/catalogue.js";
import { type AskedPermissions, grantedPermissions, intersect } from "#dist/policy/intersect.js";
import { assert, suite } from "../harness.js";

const test = suite("policy/intersect");

const { limits } = PERMISSIONS.random;
const CATALOGUE: Readonly<Record<string, PermissionRow>> = {
  calm: { harmless: true, gives: "", limits, defaults: { most: 10, least: 5 }, floors: ["least"] },
  wild: {
    harmless: false,
    gives: "",
    limits,
    defaults: { most: 3, least: 7, list: ["a", "b"], on: false },
    floors: ["least"],
  },
};

const limitsArbitrary = fc.record(
  { most: fc.nat(20), least: fc.nat(20), list: fc.subarray(["a", "b", "c"]), on: fc.boolean() },
  { requiredKeys: [] },
) as fc.Arbitrary<Limits>;
const member = fc.oneof(fc.constant(true as const), limitsArbitrary);
const side = fc.record({ calm: member, wild: member }, { requiredKeys: [] }) as fc.Arbitrary<AskedPermissions>;

/** `a` gives no more than `b`. */
function within(a: LimitValue, b: LimitValue, floor: boolean): boolean {
  if (typeof a === "number" && typeof b === "number") return floor ? a >= b : a <= b;
  if (typeof a === "boolean" && typeof b === "boolean") return !a || b;
  return typeof a === "object" && typeof b === "object" && a.every((item) => b.includes(item));
}

function limitsWithin(a: Limits, b: true | Limits, row: PermissionRow): boolean {
  return (
    b === true || Object.entries(b).every(([name, bound]) => within(a[name] ?? bound, bound, row.floors.includes(name)))
  );
}

test("never more than either side; asked and not granted is missing; every default limit is resolved", () => {
  fc.assert(
    fc.property(side, side, (asked, grant) => {
      const granted = grantedPermissions(grant, CATALOGUE);
      const { permissions, missing } = intersect(asked, granted, CATALOGUE);
      for (const [name, row] of Object.entries(CATALOGUE)) {
        const wish = asked[name];
        const given = granted[name];
        assert.is(permissions[name] !== undefined, wish !== undefined && given !== undefined);
        assert.is(
          missing.some(({ permission }) => permission === name),
          wish !== undefined && given === undefined,
        );
        const got = permissions[name];
        if (!got || !wish || !given) continue;
        assert.ok(limitsWithin(got, wish, row), "within what is asked");
        assert.ok(limitsWithin(got, given, row), "within what is granted");
        for (const limit of Object.keys(row.defaults)) assert.ok(got[limit] !== undefined, limit);
      }
    }),
    { numRuns: 2000 },
  );
});

test("monotone: lowering a limit of either side never raises what results", () => {
  fc.assert(
    fc.property(
      side,
      side,
      fc.constantFrom("asked", "granted"),
      fc.constantFrom("calm", "wild"),
      fc.nat(20),
      (asked, grant, which, name, most) => {
        const before = intersect(asked, grantedPermissions(grant, CATALOGUE), CATALOGUE).permissions[name];
        const changed = which === "asked" ? asked : grant;
        const old = changed[name];
        if (!before || !old || old === true || typeof old.most !== "number") return;
        const lowered = { ...changed, [name]: { ...old, most: Math.min(old.most, most) } };
        const after = intersect(
          which === "asked" ? lowered : asked,
          grantedPermissions(which === "asked" ? grant : lowered, CATALOGUE),
          CATALOGUE,
        );
        assert.ok(limitsWithin(after.permissions[name] ?? {}, before, CATALOGUE[name] as PermissionRow));
      },
    ),
    { numRuns: 2000 },
  );
});

test("asking for nothing gives nothing, and names outside the catalogue give nothing", () => {
  assert.equal(intersect({}, { wild: true }, CATALOGUE), { permissions: {}, missing: [] });
  const odd = { constructor: true, other: true } as AskedPermissions;
  assert.equal(intersect(odd, grantedPermissions(odd, CATALOGUE), CATALOGUE), { permissions: {}, missing: [] });
});

test("lists meet, switches need both, floors rise", () => {
  const { permissions } = intersect(
    { wild: { list: ["a", "c"], on: true, least: 1, most: 100 } },
    { wild: { list: ["c", "b"], on: true, least: 4, most: 50 } },
    CATALOGUE,
  );
  assert.equal(permissions.wild, { list: ["c"], on: true, least: 4, most: 50 });
  assert.equal(intersect({ wild: { on: true } }, { wild: { on: false } }, CATALOGUE).permissions.wild?.on, false);
});

test.run();

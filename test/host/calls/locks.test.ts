import fc from "fast-check";
import { NetworkLocks, type Release, type Waiter } from "#dist/host/calls/locks.js";
import { assert, suite } from "../../harness.js";

const test = suite("host: locks");

/** Asks for the lock, at once or later. */
function ask(
  locks: NetworkLocks,
  nid: string,
  eid: string | undefined,
  granted: (release: Release) => void,
): Waiter | undefined {
  const release = locks.tryAcquire(nid, eid);
  if (release) {
    granted(release);
    return undefined;
  }
  return locks.wait(nid, eid, granted);
}

test("calls on one endpoint are serialised, on two they are not", () => {
  const locks = new NetworkLocks();
  const a = locks.tryAcquire("n", "a");
  assert.ok(a);
  assert.is(locks.tryAcquire("n", "a"), undefined);
  assert.ok(locks.tryAcquire("n", "b"));
  assert.ok(locks.tryAcquire("m", "a"));
  a?.();
  assert.ok(locks.tryAcquire("n", "a"));
});

test("a network as a whole excludes its endpoints, and they it", () => {
  const locks = new NetworkLocks();
  const whole = locks.tryAcquire("n", undefined);
  assert.is(locks.tryAcquire("n", "a"), undefined);
  assert.is(locks.tryAcquire("n", undefined), undefined);
  assert.ok(locks.tryAcquire("m", undefined));
  whole?.();
  const a = locks.tryAcquire("n", "a");
  assert.ok(a);
  assert.is(locks.tryAcquire("n", undefined), undefined);
});

test("nobody overtakes who waits for the whole network", () => {
  const locks = new NetworkLocks();
  const order: string[] = [];
  const releases = new Map<string, Release>();
  const wants = (name: string, eid: string | undefined): Waiter | undefined =>
    ask(locks, "n", eid, (release) => {
      order.push(name);
      releases.set(name, release);
    });
  wants("a", "a");
  wants("whole", undefined);
  wants("b", "b");
  assert.equal(order, ["a"]);
  releases.get("a")?.();
  assert.equal(order, ["a", "whole"]);
  releases.get("whole")?.();
  assert.equal(order, ["a", "whole", "b"]);
});

test("a release given twice frees nothing of another's", () => {
  const locks = new NetworkLocks();
  const first = locks.tryAcquire("n", "a");
  first?.();
  assert.ok(locks.tryAcquire("n", "a"));
  first?.();
  assert.is(locks.tryAcquire("n", "a"), undefined);
});

test("a caller that cancels lets those behind it pass, and is granted nothing", () => {
  const locks = new NetworkLocks();
  const order: string[] = [];
  const a = locks.tryAcquire("n", "a");
  const whole = locks.wait("n", undefined, () => order.push("whole"));
  locks.wait("n", "b", () => order.push("b"));
  assert.equal(order, []);
  whole.cancel();
  whole.cancel();
  assert.equal(order, ["b"]);
  a?.();
  assert.equal(order, ["b"]);
});

test("ids are no property names", () => {
  const locks = new NetworkLocks();
  for (const id of ["__proto__", "constructor", "toString", ""]) {
    assert.ok(locks.tryAcquire(id, id));
    assert.is(locks.tryAcquire(id, id), undefined);
  }
});

/** A holder or waiter of the model. */
interface Claim {
  readonly name: number;
  readonly nid: string;
  readonly eid: string | undefined;
  release?: Release;
  waiter?: Waiter | undefined;
}

const conflicts = (a: Claim, b: Claim): boolean =>
  a.nid === b.nid && (a.eid === undefined || b.eid === undefined || a.eid === b.eid);

/** The holders according to the model: in order of arrival, each that conflicts neither with a holder nor with a waiter ahead. */
function grantable(holders: readonly Claim[], waiting: readonly Claim[]): Claim[] {
  const granted: Claim[] = [];
  const kept: Claim[] = [];
  for (const claim of waiting) {
    const free = ![...holders, ...granted, ...kept].some((other) => conflicts(claim, other));
    (free ? granted : kept).push(claim);
  }
  return granted;
}

test("any run of asking, releasing and cancelling follows the model; nobody starves", () => {
  const step = fc.record({
    what: fc.constantFrom("ask", "ask", "release", "cancel"),
    nid: fc.constantFrom("n", "m"),
    eid: fc.constantFrom(undefined, undefined, "a", "b", "c"),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const locks = new NetworkLocks();
      const holders: Claim[] = [];
      let waiting: Claim[] = [];
      let granted: Claim[] = [];
      let names = 0;
      const settle = (expected: readonly Claim[]): void => {
        assert.equal(
          granted.map(({ name }) => name),
          expected.map(({ name }) => name),
        );
        holders.push(...granted);
        waiting = waiting.filter((one) => !granted.includes(one));
        granted = [];
        for (const [i, a] of holders.entries()) {
          for (const b of holders.slice(i + 1)) assert.not.ok(conflicts(a, b), "two hold what excludes each other");
        }
      };
      for (const { what, nid, eid, pick } of steps) {
        if (what === "ask") {
          const claim: Claim = { name: names++, nid, eid };
          waiting.push(claim);
          const expected = grantable(holders, waiting);
          claim.waiter = ask(locks, nid, eid, (release) => {
            claim.release = release;
            granted.push(claim);
          });
          settle(expected);
        } else if (what === "release" && holders.length > 0) {
          const [claim] = holders.splice(pick % holders.length, 1);
          const expected = grantable(holders, waiting);
          claim?.release?.();
          settle(expected);
        } else if (what === "cancel" && waiting.length > 0) {
          const claim = waiting[pick % waiting.length];
          waiting = waiting.filter((one) => one !== claim);
          const expected = grantable(holders, waiting);
          claim?.waiter?.cancel();
          settle(expected);
        }
      }
      while (holders.length > 0) {
        const [claim] = holders.splice(0, 1);
        const expected = grantable(holders, waiting);
        claim?.release?.();
        settle(expected);
      }
      assert.equal(waiting, [], "all who waited had their turn");
      for (const nid of ["n", "m"]) assert.ok(locks.tryAcquire(nid, undefined), "nothing is left locked");
    }),
    { numRuns: 2000 },
  );
});

test.run();

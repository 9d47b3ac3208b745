/** Which reported changes of rules are taken for our own. */
import { OwnChanges } from "#dist/permissions/firewall/kernel/own-changes.js";
import { assert, suite } from "../../harness.js";

const test = suite("permissions/firewall/own-changes");

const DONE = { program: "nft", removes: [], made: Promise.resolve(true) };

test("where PIDs are those that are reported: ours, once", async () => {
  const own = new OwnChanges(true);
  own.started(70, DONE);
  assert.is(await own.made(71, "nft", []), false);
  assert.is(await own.made(70, "nft", []), true);
  assert.is(await own.made(70, "nft", []), false);
});

test("from within another PID namespace: as many as we made, by the same program", async () => {
  const own = new OwnChanges(false);
  own.started(7, DONE);
  own.started(8, DONE);
  assert.is(await own.made(4007, "iptables", []), false);
  assert.is(await own.made(4007, "nft", []), true);
  assert.is(await own.made(4008, "nft", []), true);
  assert.is(await own.made(4009, "nft", []), false, "one more is another program's");
});

test("from within another PID namespace: a removal of our tables is not taken for a change that keeps them", async () => {
  const own = new OwnChanges(false);
  own.started(7, DONE);
  assert.is(await own.made(4001, "nft", ["bulkhead_x_bridge"]), false, "nft flush ruleset");
  assert.is(await own.made(4007, "nft", []), true);
});

test("a change of another program's is not hidden by one of ours that fails", async () => {
  const own = new OwnChanges(false);
  let end: (made: boolean) => void = () => {};
  const made = new Promise<boolean>((resolve) => {
    end = resolve;
  });
  own.started(7, { program: "nft", removes: [], made });
  const whose = own.made(4007, "nft", []);
  end(false);
  assert.is(await whose, false);
  own.started(8, { program: "nft", removes: [], made: Promise.resolve(false) });
  await made;
  assert.is(await own.made(4008, "nft", []), false);
});

test("a change that is never reported hides nothing for long", async (t) => {
  const timers: (() => void)[] = [];
  const real = globalThis.setTimeout;
  t.cleanup(() => {
    globalThis.setTimeout = real;
  });
  globalThis.setTimeout = ((work: () => void) => {
    timers.push(work);
    return { unref: () => {} };
  }) as unknown as typeof setTimeout;
  const own = new OwnChanges(false);
  own.started(7, DONE);
  await DONE.made;
  await Promise.resolve();
  assert.is(timers.length, 1);
  timers[0]?.();
  assert.is(await own.made(4007, "nft", []), false);
});

test.run();

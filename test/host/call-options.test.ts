/** A call's last argument: an option there is not is refused with what there is, before anything is asked. */
import { assert, rejection, suite } from "../harness.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/call-options");

const CASES: readonly (readonly [given: unknown, says: RegExp])[] = [
  [{ timeout: 100 }, /unknown option "timeout"; the only one is "signal".*AbortSignal\.timeout\(ms\)/],
  [{ singal: new AbortController().signal }, /unknown option "singal"; did you mean "signal"\?/],
  [{ signal: undefined, retries: 3 }, /unknown option "retries"/],
  [new AbortController().signal, /must be \{ signal \}, not the signal itself/],
  [{ signal: 5 }, /its signal must be an AbortSignal/],
  [100, /it must be \{ signal\? \}/],
];

test("what is not an option is named, with the nearest that is", async (t) => {
  const s = await scripted(t, { notes: true });
  const d = s.driver();
  for (const [given, says] of CASES) {
    for (const begin of [
      () => d.config({}, given as never),
      () => d.createNetwork("net", {}, given as never),
      () => d.leave("net", "end", given as never),
    ]) {
      const error = await rejection(begin());
      assert.equal([error.code, error.kind], ["ERR_BAD_OPTIONS", "BadRequest"]);
      assert.match(error.message, says);
    }
  }
  assert.equal(s.notes, []);
});

test.run();

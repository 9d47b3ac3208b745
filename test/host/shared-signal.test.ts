/** One AbortSignal for many calls: no warning of Node's, each call aborted, the caller's reason as the cause. */
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/shared-signal");

/** Warnings that this process gives from now on. */
function warnings(t: TestContext): readonly Error[] {
  const seen: Error[] = [];
  const note = (warning: Error): void => void seen.push(warning);
  process.on("warning", note);
  t.cleanup(() => process.off("warning", note));
  return seen;
}

test("a hundred calls in flight and a hundred that wait share a signal, and all are aborted with its reason", async (t) => {
  const seen = warnings(t);
  const s = await scripted(t);
  const d = s.driver();
  const caller = new AbortController();
  const { signal } = caller;
  await Promise.all(Array.from({ length: 100 }, (_, n) => d.createNetwork(`before-${n}`, {}, { signal })));
  await s.cue(
    Array.from({ length: 100 }, (_, n) => ({ method: "createNetwork", nid: `net-${n}`, what: "obey" }) as const),
  );
  const calls = (): number => s.host.plugins()[0]?.counters.calls ?? 0;
  const before = calls();
  const flying = Array.from({ length: 100 }, (_, n) => rejection(d.createNetwork(`net-${n}`, {}, { signal })));
  const waiting = Array.from({ length: 100 }, (_, n) =>
    rejection(d.createEndpoint(`net-${n}`, "end", new EndpointConfig(), {}, { signal })),
  );
  await until(() => calls() - before >= flying.length, "the calls in flight");
  const reason = new Error("the user has closed the window");
  caller.abort(reason);
  for (const error of await Promise.all([...flying, ...waiting])) {
    assert.equal([error.code, error.cause === reason], ["ERR_CALL_ABORTED", true], error.message);
  }
  assert.is((await rejection(d.createNetwork("after", {}, { signal }))).cause, reason);
  // Node gives its warnings in a turn of their own.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen.map(String), []);
});

test("of AbortSignal.timeout() the cause is its TimeoutError", async (t) => {
  const s = await scripted(t);
  await s.cue([{ method: "createNetwork", nid: "net", what: "obey" }]);
  const error = await rejection(s.driver().createNetwork("net", {}, { signal: AbortSignal.timeout(30) }));
  assert.equal([error.code, (error.cause as Error).name], ["ERR_CALL_ABORTED", "TimeoutError"]);
});

test.run();

/** The signals of an engine's requests: used again unless they have fired; all fire when the server stops waiting. */
import { RequestSignals } from "#dist/docker/request-signals.js";
import { assert, suite } from "../harness.js";

const test = suite("docker: signals of requests");

test("a signal serves one request at a time, and a later one once its request is answered", () => {
  const signals = new RequestSignals();
  const [first, second] = [signals.begin(), signals.begin()];
  assert.is.not(first, second);
  signals.end(first);
  assert.is(signals.begin(), first);
});

test("a signal that has fired is not used again", () => {
  const signals = new RequestSignals();
  const late = signals.begin();
  late.abort();
  signals.end(late);
  assert.not(signals.begin().signal.aborted);
});

test("stop fires the signals of requests in progress and of later ones, but not of those answered", () => {
  const signals = new RequestSignals();
  const [pending, answered] = [signals.begin(), signals.begin()];
  signals.end(answered);
  assert.not(signals.stopped);
  signals.stop();
  assert.ok(signals.stopped);
  assert.ok(pending.signal.aborted);
  assert.not(answered.signal.aborted);
  assert.ok(signals.begin().signal.aborted);
});

test.run();

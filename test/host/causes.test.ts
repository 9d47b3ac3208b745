/** Why a plugin's error came about reaches the platform: `cause` and the `errors` of an AggregateError, bounded, each one visible line. */
import { LIMITS } from "#dist/protocol/limits.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { house } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host/causes");

const RAISE = `
const chain = (n) => new Error("level " + n, n === 0 ? undefined : { cause: chain(n - 1) });
const loop = () => { const error = new Error("loop"); error.cause = error; return error; };
const trap = () => Object.defineProperty(new Error("trap"), "cause", { get() { throw new Error("no"); } });
const raise = {
  cause: () => new Error("no pool", { cause: Object.assign(new TypeError("bad\\nsubnet"), { code: "EBAD" }) }),
  errors: () => new AggregateError([new RangeError("first"), "second"], "both failed", { cause: new Error("third") }),
  many: () => new AggregateError(Array.from({ length: 1000 }, (_, n) => new Error("e" + n)), "many"),
  chain: () => chain(100), loop, trap,
};`;

async function thrower(t: TestContext): Promise<(what: string) => Promise<Error>> {
  const methods = "createNetwork(nid) { throw raise[nid](); },";
  const host = await (await house(t, { "a.js": plugin("a", { top: RAISE, methods }) })).open();
  return (what) => rejection(host.driver("a").createNetwork(what));
}

/** The messages along `cause`. */
function along(error: unknown): readonly string[] {
  const messages: string[] = [];
  for (let one = error; one instanceof Error; one = one.cause) messages.push(one.message);
  return messages;
}

test("a cause has its name, message and code, and the author's file and line", async (t) => {
  const error = await (await thrower(t))("cause");
  assert.is(error.message, "no pool");
  const cause = error.cause as Error & { readonly code?: string };
  assert.equal([cause.name, cause.message, cause.code], ["TypeError", "bad\\nsubnet", "EBAD"]);
  assert.match(String(cause.stack), /^TypeError: bad\\nsubnet\n +at .*\(a\.js:6:\d+\)/);
});

test("the errors of an AggregateError are those of the cause, and its own cause is there besides", async (t) => {
  const error = await (await thrower(t))("errors");
  const cause = error.cause as AggregateError;
  assert.instance(cause, AggregateError);
  assert.equal(
    cause.errors.map(({ name, message }) => `${name}: ${message}`),
    ["RangeError: first", "Error: second"],
  );
  assert.is((cause.cause as Error).message, "third");
});

test("long chains, loops, many errors and traps are cut, and the error itself crosses", async (t) => {
  const raised = await thrower(t);
  assert.equal(along(await raised("chain")), ["level 100", "level 99", "level 98", "level 97", "level 96"]);
  assert.is(along(await raised("loop")).length, 1 + LIMITS.thrownDepth);
  assert.is(((await raised("many")).cause as AggregateError).errors.length, LIMITS.thrownErrors);
  assert.equal(along(await raised("trap")), ["trap"]);
});

test.run();

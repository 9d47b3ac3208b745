/** The walker itself: each kind of leak it is there for is found. */
import { assert, suite } from "../harness.js";
import { compartmentWith, refusalOf, walk } from "./tamper.js";

const test = suite("tampering");

const finds = (power: unknown, word: string, samples?: string): void => {
  const { findings } = walk({ leak: { power } }, samples);
  assert.ok(
    findings.some((finding) => finding.includes(word)),
    `${word} not among ${JSON.stringify(findings)}`,
  );
};

test("an honest endowment has no findings", () => {
  assert.equal(
    walk({ fine: { power: { add: (a: number, b: number) => a + b }, globals: { answer: 42 } } }).findings,
    [],
  );
});

test("a host's timer, behind a call", () => {
  finds({ start: () => setTimeout(() => {}, 1).unref() }, "is the host's", "({ timer: powers.leak.start() })");
});

test("a native URL, behind a call", () => {
  finds({ url: () => new URL("http://a/") }, "is the host's", "({ url: powers.leak.url() })");
});

test("an iterator of the host's", () => {
  finds({ all: () => new URLSearchParams("a=1").entries() }, "is the host's", "({ all: powers.leak.all() })");
});

test("process, in a closure's property", () => {
  finds(
    Object.assign(() => {}, { held: { env: { get: () => process } } }),
    "is the host's",
    "({ p: powers.leak.held.env.get() })",
  );
});

test("a host path in a thrown error", () => {
  finds(
    Object.defineProperty({}, "bad", {
      get() {
        throw new Error("ENOENT: /home/operator/secret");
      },
    }),
    "host path",
  );
});

test("a native DOMException", () => {
  finds(
    Object.defineProperty({}, "bad", {
      get() {
        throw new DOMException("no");
      },
    }),
    "is the host's",
  );
});

test("state that can be changed from inside", () => {
  let held = 1;
  const power = Object.defineProperty({}, "open", {
    get: () => held,
    set: (value: number) => (held = value),
    enumerable: true,
  });
  walk({ leak: { power } });
  assert.is.not(held, 1);
});

test("an error's stack is empty inside", () => {
  const compartment = compartmentWith({ log: { power: {} } });
  assert.is(refusalOf(compartment, "null.x").stack, "");
});

test.run();

/** `log`: what a plugin prints arrives as one bounded, escaped line, and printing runs none of the plugin's code. */
import { createLogPower } from "#dist/permissions/log/host.js";
import { endow } from "#dist/permissions/log/worker.js";
import type { HostPort } from "#dist/permissions/permission.js";
import { assert, suite, type TestContext } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

const test = suite("permission log");

type Notice = readonly [name: string, args: Parameters<HostPort["notify"]>[1]];

function open(t: TestContext, linesPerSecond = 1000, lineChars = 400) {
  const sent: Notice[] = [];
  const port: HostPort = {
    request: () => Promise.reject(new Error("log asks nothing")),
    notify: (...notice) => sent.push(notice),
  };
  const endowment = endow({ linesPerSecond, lineChars }, port);
  t.cleanup(() => endowment.stop?.());
  const compartment = compartmentWith({ log: endowment });
  const print = (source: string): unknown => {
    sent.length = 0;
    inside(compartment, source);
    return sent[0]?.[1][1];
  };
  return { sent, compartment, print, endowment };
}

function receive(linesPerSecond = 10, lineChars = 200, now: () => number = () => 0) {
  const lines: Array<readonly [level: string, fields: Record<string, unknown>, text: string]> = [];
  const sink = (level: string) => (fields: object, text: string) => lines.push([level, { ...fields }, text]);
  const logger = { debug: sink("debug"), info: sink("info"), warn: sink("warn"), error: sink("error") };
  const power = createLogPower({ plugin: "bridge", limits: { linesPerSecond, lineChars }, logger, now });
  const write = (...args: Parameters<HostPort["notify"]>[1]): void => power.notices?.get("log.write")?.(args);
  return { lines, write, power };
}

test("console methods carry their level", (t) => {
  const { sent, compartment } = open(t);
  inside(
    compartment,
    `console.log("a", 1); console.info("b"); console.warn("c"); console.error("d"); console.debug("e"); console.trace("f");
     console.assert(true, "no"); console.assert(false, "g");`,
  );
  assert.equal(
    sent.map(([name, [level, text]]) => `${name} ${level} ${text}`),
    [
      "log.write info a 1",
      "log.write info b",
      "log.write warn c",
      "log.write error d",
      "log.write debug e",
      "log.write debug f",
      "log.write error Assertion failed: g",
    ],
  );
});

test("values read well", (t) => {
  const { print } = open(t);
  const rows: Array<readonly [source: string, text: string]> = [
    ["undefined, null, true, -0, 1.5, NaN, 10n, Symbol('s')", "undefined null true -0 1.5 NaN 10n Symbol(s)"],
    ["{ a: 1, 'b c': [1, 'x', , 2] }", '{ a: 1, "b c": [1, "x", <empty>, 2] }'],
    ["new Map([['k', { v: 1 }]]), new Set([1])", 'Map { "k" => { v: 1 } } Set { 1 }'],
    ["new Date(0), /a+/gi, function f() {}, class K {}", "1970-01-01T00:00:00.000Z /a+/gi [function f] [function K]"],
    ["new TypeError('bad')", "TypeError: bad"],
    ["new (class NetError extends Error {})('x')", "NetError: x"],
    ["Object.assign(new Error('x'), { code: 'ERR_X' })", "Error: x [ERR_X]"],
    ["new Error('x', { cause: new RangeError('y') })", "Error: x (cause: RangeError: y)"],
    ["new Uint8Array([1, 2]), new ArrayBuffer(4), Promise.resolve(1)", "[1, 2] [bytes] [promise]"],
    ["{}, []", "{} []"],
    ["'%s is %d of %j%%', 'a', '3', { b: 1 }, 'rest'", "a is 3 of { b: 1 }% rest"],
    ["'100%', 1", "100% 1"],
    ["(() => { const o = {}; o.o = o; return o; })()", "{ o: [circular] }"],
    ["{ a: { b: { c: { d: { e: 1 } } } } }", "{ a: { b: { c: { d: {…} } } } }"],
  ];
  for (const [source, text] of rows) assert.is(print(`console.log(${source})`), text, source);
});

test("printing runs nothing of the plugin's", (t) => {
  const { print, compartment } = open(t);
  inside(
    compartment,
    "globalThis.ran = [], globalThis.trap = (name) => () => { ran.push(name); throw new Error(name); }",
  );
  const traps = `new Proxy({}, { get: (_, name) => trap("trap " + String(name)) })`;
  const hostile = [
    "{ get a() { return trap('getter')(); } }",
    "{ toString: trap('toString'), valueOf: trap('valueOf'), toJSON: trap('toJSON'), [Symbol.toPrimitive]: trap('primitive') }",
    "{ [Symbol.for('nodejs.util.inspect.custom')]: trap('inspect'), inspect: trap('inspect') }",
    `new Proxy({}, ${traps})`,
    `new Proxy(function () {}, ${traps})`,
    `new Proxy([], ${traps})`,
    `new Proxy(new Error("x"), ${traps})`,
    `Object.create(new Proxy({}, ${traps}))`,
    `Object.setPrototypeOf(new Error("x"), new Proxy({}, ${traps}))`,
    "Object.defineProperty(new Error(), 'message', { get: trap('message') })",
    "Object.defineProperty(new Error(), 'name', { get: trap('name') })",
    "Object.defineProperty(function () {}, 'name', { get: trap('name') })",
    "Object.defineProperty([1], 0, { get: trap('index') })",
    "Object.defineProperty(new Map(), 'size', { get: trap('size') })",
    "Object.assign(new Map([[1, 2]]), { entries: trap('entries'), [Symbol.iterator]: trap('iterator') })",
    "Object.defineProperty(/x/, 'flags', { get: trap('flags') })",
    "Object.defineProperties(new Date(0), { toISOString: { value: trap('iso') }, getTime: { value: trap('time') } })",
    "class { static get name() { return trap('static')(); } }",
    `new (class E extends Error { get name() { return trap("name")(); } })("x")`,
    `(() => { const r = Proxy.revocable({}, {}); r.revoke(); return r.proxy; })()`,
  ];
  for (const value of hostile) {
    assert.type(print(`console.log(${value}, [${value}], "%s %d %j", ${value})`), "string", value);
    assert.type(print(`console.log("%s %d %i %f %j %o %c", ${Array(7).fill(value).join()})`), "string", value);
    assert.type(print(`powers.log("info", "x", { value: ${value} })`), "string", value);
  }
  assert.equal(inside(compartment, "ran"), []);
});

test("lines are cut, and huge values cost little", (t) => {
  const { print, compartment } = open(t, 1000, 100);
  const started = performance.now();
  assert.is(String(print('console.log("x".repeat(1e6))')).length, 100);
  assert.is(print('console.log("x".repeat(2 ** 28))'), `[string of ${2 ** 28} characters]`);
  assert.is(print("console.log(1n << 1000000n)"), "[bigint over 256 bits]");
  const wide = [
    "new Array(4e9)",
    "new Uint8Array(1e8)",
    "Array.from({ length: 1e5 }, () => ({}))",
    "new Map(Array.from({ length: 1e5 }, (_, i) => [i, i]))",
    "new String('x'.repeat(1e6))",
    "{ ['k'.repeat(1e6)]: 1 }",
    "Symbol('d'.repeat(1e6))",
    "new Error('m'.repeat(1e6))",
  ];
  for (const value of wide) assert.ok(String(print(`console.log(${value})`)).length <= 100, value);
  inside(compartment, "globalThis.deep = []; for (let i = 0; i < 1e5; i++) deep = [deep];");
  assert.is(print("console.log(deep)"), "[[[[[…]]]]]");
  assert.ok(performance.now() - started < 3000);
});

test("a flood is dropped, counted and told of", (t) => {
  const { sent, compartment, endowment } = open(t, 5);
  inside(compartment, "for (let i = 0; i < 1000; i++) console.log(i)");
  assert.is(sent.length, 5);
  endowment.stop?.();
  assert.equal(sent.at(-1), ["log.write", ["warn", "995 lines dropped: over 5 a second"]]);
});

test("powers.log takes a level, a message and flat fields", (t) => {
  const { sent, compartment } = open(t);
  inside(
    compartment,
    'powers.log("warn", "link down", { dev: "eth0", n: 2, up: false, at: null, list: [1], nan: NaN })',
  );
  const fields = { dev: "eth0", n: 2, up: false, at: null, list: "[1]", nan: "NaN" };
  assert.equal(sent[0], ["log.write", ["warn", "link down", fields]]);
  const many = "Object.fromEntries(Array.from({ length: 33 }, (_, i) => [i, i]))";
  for (const args of [
    '"fatal", "x"',
    '"__proto__", "x"',
    "{ toString() { throw 1 } }, 'x'",
    '"info", {}',
    '"info", 1',
    '"info", "x", []',
    '"info", "x", 1',
    `"info", "x", ${many}`,
  ]) {
    const refused = refusalOf(compartment, `powers.log(${args})`);
    assert.is(refused.code, "ERR_PERMISSION_ARGUMENT", args);
    assert.ok(refused.kin);
  }
});

test("the host's half escapes, cuts, and keeps fields apart from the logger's own", () => {
  const { lines, write } = receive(10, 40);
  write("info", 'up\n{"level":60}');
  write("error", "x".repeat(100));
  write("warn", "m", { plugin: "other\u001b[2J", "a\nb": 1, list: [1] });
  assert.equal(lines[0], ["info", { plugin: "bridge" }, 'up\\n{"level":60}']);
  assert.is(lines[1]?.[2].length, 40);
  assert.is(lines[2]?.[1].plugin, "bridge");
  assert.equal({ ...(lines[2]?.[1].fields as object) }, { plugin: "other\\u{1b}[2J", "a\\nb": 1, list: null });
});

test("the host's half does not trust the worker's rate, levels or types", () => {
  let time = 0;
  const { lines, write, power } = receive(10, 200, () => time);
  for (let i = 0; i < 100; i++) write("info", `line ${i}`);
  assert.is(lines.length, 20);
  time = 1000;
  write("info", "later");
  assert.equal(lines[20], [
    "warn",
    { plugin: "bridge" },
    "80 lines of the plugin dropped: over 10 a second, or malformed",
  ]);
  assert.is(lines[21]?.[2], "later");
  for (const args of [
    [],
    ["info"],
    ["fatal", "x"],
    ["constructor", "x"],
    [null, "x"],
    ["info", { length: 1 }],
    [["info"], "x"],
  ] as const)
    write(...args);
  assert.is(lines.length, 22);
  power.close?.();
  assert.ok(lines[22]?.[2].startsWith("7 lines"));
});

test("a clock that jumps back and a logger that throws do no harm", () => {
  let time = 1e6;
  const { lines, write } = receive(1, 200, () => time);
  write("info", "a");
  time = 0;
  write("info", "b");
  write("info", "c");
  time = 5000;
  write("info", "d");
  assert.equal(
    lines.map(([, , text]) => text.slice(0, 1)),
    ["a", "b", "1", "d"],
  );
  const broken = (): never => {
    throw new Error("disk full");
  };
  const power = createLogPower({
    plugin: "x",
    limits: { linesPerSecond: 1, lineChars: 10 },
    logger: { debug: broken, info: broken, warn: broken, error: broken },
  });
  power.notices?.get("log.write")?.(["info", "x"]);
});

test("cannot be tampered with", (t) => {
  const { endowment } = open(t);
  assert.equal(walk({ log: endowment }).findings, []);
});

test.run();

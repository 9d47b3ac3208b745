/** The text and URL helpers: as the standards have them, with nothing of Node's behind them in reach. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { endow } from "#dist/permissions/text-globals/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

const test = suite("text and URL helpers");
const compartment = compartmentWith({ text: endow() });
const run = (source: string): unknown => inside(compartment, source);
const HOSTILE = [
  "{ toString() { throw new Error('ran'); } }",
  "{ [Symbol.toPrimitive]() { throw 1; } }",
  "Symbol()",
  "() => 'a:b'",
  "new Proxy({}, { get() { throw 1; } })",
];

test("URL parses, resolves, changes and prints as Node's does", () => {
  const parts = [
    "href",
    "origin",
    "protocol",
    "username",
    "password",
    "host",
    "hostname",
    "port",
    "pathname",
    "search",
    "hash",
  ] as const;
  for (const text of [
    "https://u:p@example.com:8443/a/../b?x=1&x=2#h",
    "http://[fd64::1]/",
    "file:///etc/x",
    "mailto:a@b",
    "http://Ünï.example/%zz",
  ]) {
    const native = new URL(text);
    assert.equal(
      run(
        `(() => { const u = new URL(${JSON.stringify(text)}); return ${JSON.stringify(parts)}.map((p) => u[p]); })()`,
      ),
      parts.map((part) => native[part]),
      text,
    );
  }
  assert.is(run('new URL("../x?y", new URL("http://a/b/c/d")).href'), "http://a/b/x?y");
  assert.is(
    run(
      '(() => { const u = new URL("http://a/"); u.port = 81; u.pathname = "p q"; u.search = "k=v"; u.hash = "h"; u.hostname = "b"; u.protocol = "https"; u.username = "me"; u.password = "pw"; return String(u); })()',
    ),
    "https://me:pw@b:81/p%20q?k=v#h",
  );
  assert.is(
    run(
      '(() => { const u = new URL("http://a/?x=1"); u.searchParams.append("y", "ä"); u.searchParams.delete("x"); u.href += "#z"; return JSON.stringify({ u }) + (u.searchParams === u.searchParams) + u.searchParams.get("y"); })()',
    ),
    '{"u":"http://a/?y=%C3%A4#z"}trueä',
  );
  assert.is(
    run("Object.prototype.toString.call(new URL('a:b')) + URL.name + typeof URL.createObjectURL"),
    "[object URL]URLundefined",
  );
  assert.is(
    run(
      'URL.canParse("http://a") && !URL.canParse("a") && URL.canParse("a", "http://b") && URL.parse("x") === null && URL.parse("a:b") instanceof URL',
    ),
    true,
  );
  assert.is(
    run(
      '(() => { class Mine extends URL { get short() { return this.hostname; } } const m = new Mine("http://h/p"); return m instanceof URL && m.short; })()',
    ),
    "h",
  );
});

test("URLSearchParams takes strings, records, pairs, Maps and its own kind", () => {
  for (const init of [
    "'?a=1&b=2'",
    "{ a: 1, b: '2' }",
    "[['a', '1'], ['b', 2]]",
    "new Map([['a', 1], ['b', 2]])",
    "new URLSearchParams('a=1&b=2')",
  ]) {
    assert.is(run(`String(new URLSearchParams(${init}))`), "a=1&b=2", init);
  }
  assert.equal(
    run(`(() => {
    const p = new URLSearchParams("b=2&a=1&a=3"); const seen = [];
    p.forEach(function (v, k, all) { seen.push(k + v + (all === p) + this.x); }, { x: 1 });
    p.sort(); p.set("c", null);
    return [seen.join(), p.getAll("a").join(), p.has("a"), p.has("a", "9"), p.get("z"), p.size, [...p.keys()].join(), [...p.values()].join(), [...p.entries()].join(), [...p].length, String(p)];
  })()`),
    [
      "b2true1,a1true1,a3true1",
      "1,3",
      true,
      false,
      null,
      4,
      "a,a,b,c",
      "1,3,2,null",
      "a,1,a,3,b,2,c,null",
      4,
      "a=1&a=3&b=2&c=null",
    ],
  );
  for (const init of [
    "[['a']]",
    "[1]",
    "{ a: {} }",
    "new Proxy({}, {})",
    "[new Proxy([1, 2], {})]",
    "Symbol()",
    "() => 1",
    "[[{}, 1]]",
  ]) {
    assert.is(refusalOf(compartment, `new URLSearchParams(${init})`).code, "ERR_PERMISSION_ARGUMENT", init);
  }
});

test("URL refuses what it cannot read, and runs none of it", () => {
  for (const input of [...HOSTILE, "'no url'", "''", "undefined", "null", "NaN", "-0", "10n"]) {
    const refused = refusalOf(compartment, `new URL(${input})`);
    assert.equal(
      [refused.name, refused.code, refused.kin, refused.stack],
      ["TypeError", "ERR_PERMISSION_ARGUMENT", true, ""],
      input,
    );
  }
  for (const input of HOSTILE) {
    assert.is(refusalOf(compartment, `new URL("a:b").href = ${input}`).code, "ERR_PERMISSION_ARGUMENT", input);
    assert.is(
      refusalOf(compartment, `new URL("http://a").searchParams.set(${input}, 1)`).code,
      "ERR_PERMISSION_ARGUMENT",
      input,
    );
    assert.is(refusalOf(compartment, `URL.canParse("a", ${input})`).code, "ERR_PERMISSION_ARGUMENT", input);
  }
  assert.is(refusalOf(compartment, "new URL('http://a/' + 'x'.repeat(2 ** 21))").code, "ERR_PERMISSION_LIMIT");
  for (const forged of [
    "Object.create(URL.prototype).href",
    "Reflect.get(URL.prototype, 'href', new Proxy(new URL('a:b'), {}))",
    "URL('a:b')",
    "URL.prototype.toJSON.call({})",
    "URLSearchParams.prototype.get.call(new URL('a:b'), 'x')",
  ]) {
    assert.is(refusalOf(compartment, forged).name, "TypeError", forged);
  }
});

test("TextEncoder and TextDecoder go there and back", () => {
  assert.is(run('new TextDecoder().decode(new TextEncoder().encode("añ🙂\\0"))'), "añ🙂\0");
  assert.equal(run('[...new TextEncoder().encode("\\ud800")]'), [0xef, 0xbf, 0xbd]);
  assert.equal(run("[...new TextEncoder().encode()]"), []);
  assert.equal(
    run('(() => { const b = new Uint8Array(3); return [new TextEncoder().encodeInto("aéé", b), [...b]]; })()'),
    [{ read: 2, written: 3 }, [97, 0xc3, 0xa9]],
  );
  assert.is(
    run(
      "(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([0xc3]), { stream: true }) + d.decode(new Uint8Array([0xa9])); })()",
    ),
    "é",
  );
  assert.equal(
    run(
      "(() => { const d = new TextDecoder('latin1', { fatal: true, ignoreBOM: true }); return [d.encoding, d.fatal, d.ignoreBOM, new TextEncoder().encoding, new TextDecoder().encoding]; })()",
    ),
    ["windows-1252", true, true, "utf-8", "utf-8"],
  );
  for (const bytes of [
    "new Uint8Array([97]).buffer",
    "new DataView(new Uint8Array([97]).buffer)",
    "new Uint8Array([1, 97, 1]).subarray(1, 2)",
    "new Uint16Array([97])",
  ]) {
    assert.is(String(run(`new TextDecoder().decode(${bytes})`)).replace("\0", ""), "a", bytes);
  }
  const bytes = run('new TextEncoder().encode("abc")') as Uint8Array;
  assert.is(bytes.buffer.byteLength, 3);
});

test("encoders refuse what they cannot read, and are not lied to", () => {
  for (const input of HOSTILE) {
    assert.is(refusalOf(compartment, `new TextEncoder().encode(${input})`).code, "ERR_PERMISSION_ARGUMENT", input);
    assert.is(refusalOf(compartment, `new TextDecoder().decode(${input})`).code, "ERR_PERMISSION_ARGUMENT", input);
    assert.is(refusalOf(compartment, `new TextDecoder(${input})`).code, "ERR_PERMISSION_ARGUMENT", input);
    assert.is(
      refusalOf(compartment, `new TextEncoder().encodeInto("a", ${input})`).code,
      "ERR_PERMISSION_ARGUMENT",
      input,
    );
  }
  assert.is(refusalOf(compartment, "new TextDecoder('klingon')").code, "ERR_PERMISSION_ARGUMENT");
  assert.is(
    refusalOf(compartment, "new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))").code,
    "ERR_PERMISSION_ARGUMENT",
  );
  assert.is(
    refusalOf(compartment, "new TextDecoder('utf-8', new Proxy({}, { getOwnPropertyDescriptor() { throw 1; } }))").code,
    "ERR_PERMISSION_ARGUMENT",
  );
  assert.is(refusalOf(compartment, "new TextEncoder().encode('x'.repeat(2 ** 25))").code, "ERR_PERMISSION_LIMIT");
  assert.is(refusalOf(compartment, "new TextDecoder().decode(new Uint8Array(2 ** 25))").code, "ERR_PERMISSION_LIMIT");
  const liar =
    "Object.defineProperties(new Uint8Array([97]), { length: { value: 1e9 }, byteLength: { value: 1e9 }, byteOffset: { value: -5 }, buffer: { value: {} } })";
  assert.is(run(`new TextDecoder().decode(${liar})`), "a");
});

test("structuredClone copies plain data, shared and circular parts included", () => {
  assert.equal(
    run(`(() => {
    const shared = { n: -0 };
    const given = { shared, again: shared, list: [1, , "x"], when: new Date(5), rx: /a\\/b/giy, map: new Map([[shared, new Set([shared])]]), bytes: new Uint8Array([1, 2, 3]).subarray(1), big: 1n, u: undefined, boxed: new String("s"), view: new DataView(new ArrayBuffer(4), 1, 2) };
    given.self = given;
    const c = structuredClone(given);
    const own = [...c.map.keys()][0];
    return [c !== given, c.self === c, c.shared === c.again, c.shared !== shared, Object.is(c.shared.n, -0), c.list.length, 1 in c.list, c.when.getTime(), String(c.rx), own === c.shared, c.map.get(own).has(own), [...c.bytes].join(), c.bytes.buffer.byteLength, c.bytes.buffer !== given.bytes.buffer, c.big, "u" in c, c.boxed + "", c.view.byteLength];
  })()`),
    [true, true, true, true, true, 3, false, 5, "/a\\/b/giy", true, true, "2,3", 3, true, 1n, true, "s", 2],
  );
  assert.is(
    run(
      "(() => { const e = structuredClone(Object.assign(new RangeError('m'), { x: 1 })); return e instanceof RangeError && e.message + e.x; })()",
    ),
    "mundefined",
  );
  assert.is(
    run(
      "(() => { class P { a = 1; get b() { return 2; } } const c = structuredClone(new P()); return Object.getPrototypeOf(c) === Object.prototype && JSON.stringify(c); })()",
    ),
    '{"a":1}',
  );
  assert.is(
    run(
      `(() => { const c = structuredClone(JSON.parse('{"__proto__": {"polluted": 1}}')); return Object.keys(c)[0] + c.polluted; })()`,
    ),
    "__proto__undefined",
  );
  run("(() => { let deep = {}; for (let i = 0; i < 1e5; i++) deep = { deep }; structuredClone(deep); })()");
  assert.is(run("structuredClone(new Array(4e9)).length"), 4e9);
});

test("structuredClone refuses the rest", () => {
  for (const value of [
    "() => 1",
    "Symbol()",
    "{ a: { b: () => 1 } }",
    "new Proxy({}, {})",
    "[new Proxy([], {})]",
    "Promise.resolve()",
    "new WeakMap()",
    "Object(Symbol())",
    "(function* () {})()",
    "new Map([[() => 1, 1]])",
  ]) {
    const refused = refusalOf(compartment, `structuredClone(${value})`);
    assert.equal([refused.name, refused.code, refused.kin], ["TypeError", "ERR_PERMISSION_ARGUMENT", true], value);
  }
  assert.is(
    refusalOf(compartment, "structuredClone(new ArrayBuffer(1), { transfer: [] })").code,
    "ERR_PERMISSION_ARGUMENT",
  );
  assert.is(refusalOf(compartment, "structuredClone({ get a() { throw new RangeError('own'); } })").message, "own");
  assert.is(
    run(
      "(() => { const m = new Map([[1, 2]]); m.entries = () => { throw 1; }; m[Symbol.iterator] = m.entries; return structuredClone(m).get(1); })()",
    ),
    2,
  );
});

test("queueMicrotask runs its function before any timer, without this", async () => {
  const seen = await run(
    "new Promise((done) => { const seen = []; queueMicrotask(function (...a) { seen.push(this === undefined, a.length); done(seen); }); seen.push('sync'); })",
  );
  assert.equal(seen, ["sync", true, 0]);
  for (const callback of ["undefined", "'x'", "{}", "{ call() {} }"])
    assert.is(refusalOf(compartment, `queueMicrotask(${callback})`).code, "ERR_PERMISSION_ARGUMENT");
});

test("a throw in a microtask is the worker's uncaught exception", async (t) => {
  const url = new URL("../../../dist/permissions/text-globals/worker.js", import.meta.url);
  const code = `import { endow } from ${JSON.stringify(url.href)}; endow().globals.queueMicrotask(() => { throw new RangeError("stray"); });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  t.cleanup(() => worker.terminate());
  const [error] = await once(worker, "error");
  assert.is(error.message, "stray");
});

test("cannot be tampered with", () => {
  const samples = `({
    url: new URL("http://a/?b=c"), params: new URL("http://a/?b=c").searchParams, own: new URLSearchParams("a=1"),
    entries: new URLSearchParams("a=1").entries(), pair: [...new URLSearchParams("a=1")][0], all: new URLSearchParams("a=1").getAll("a"),
    keys: new URLSearchParams("a=1").keys(), iterator: new URLSearchParams("a=1")[Symbol.iterator](),
    encoder: new TextEncoder(), decoder: new TextDecoder(), bytes: new TextEncoder().encode("x"),
    into: new TextEncoder().encodeInto("x", new Uint8Array(1)), parsed: URL.parse("a:b"),
    clone: structuredClone({ a: [new Map(), new Set(), new Date(0), /x/, new Error("x"), new Uint8Array(1)] }),
    urlClone: structuredClone(new URL("a:b")),
  })`;
  assert.equal(walk({ text: endow() }, samples).findings, []);
});

test.run();

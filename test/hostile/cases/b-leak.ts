/** Class B, leak: what a plugin may learn of its host, of other plugins, and what it may write where. */
import { strict as assert } from "node:assert";
import type { HostileCase } from "../case.js";
import { GIVEN, withoutGiven } from "../globals.js";
import { hostile } from "../source.js";

/** Names that lead to other threads in Node or on the web. */
const CHANNELS: readonly string[] = [
  ..."BroadcastChannel MessageChannel MessagePort Worker SharedArrayBuffer Atomics EventTarget".split(" "),
  ..."postMessageToThread setEnvironmentData getEnvironmentData postMessage onmessage WebSocket EventSource".split(" "),
  "localStorage",
];

export const LEAK: readonly HostileCase[] = [
  {
    item: 13,
    title: "stacks and messages: no path of the host, in no error, from no call",
    source: hostile({
      top: `
      const texts = [];
      const note = (error) => { for (const key of Reflect.ownKeys(error)) texts.push(String(key) + "=" + String(error[key])); texts.push(String(error), String(error.stack), String(error.cause)); };`,
      init: `
        const tries = [
          () => null.x, () => new URL("http://a:b"), () => new TextDecoder("x"), () => structuredClone(Symbol()), () => (0, eval)("}"), () => powers.random.bytes("x"),
          () => powers.store.get(""), () => powers.store.set("k", { a: () => {} }), () => powers.store.set("k", "x".repeat(70000)),
          () => callback.registerDriver("not.declared"), () => callback.registerDriver("elsewhere", driver("elsewhere")), () => callback.registerDriver("neighbour", driver("neighbour")),
          () => callback.registerDriver("hostile", driver("hostile"), { scope: "global" }), () => callback.registerDriver("hostile", driver("hostile"), {}),
          () => { const f = () => f(); f(); }, () => new Array(-1), () => "x".repeat(2 ** 30), () => new Proxy({}, { get() { throw new Error("x"); } }).x,
        ];
        for (const one of tries) { try { await one(); texts.push("did not throw: " + one); } catch (error) { note(error); } }
        saw.count = texts.length;
        saw.texts = texts.join("\\n");`,
      after: `try { await callback.registerDriver("hostile", driver("hostile"), { scope: "local" }); } catch (error) { note(error); saw.texts = texts.join("\\n"); }
      function driver(name) { return { type: () => name, config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, endpointOperInfo() {}, join() {}, leave() {} }; }`,
    }),
    async run({ report }) {
      const { texts } = await report();
      assert.doesNotMatch(String(texts), /did not throw/);
      assert.doesNotMatch(String(texts), /(?:^|[\s"'(=])\/[a-z]+\/|file:\/\/\/(?!no)|at \S+ \(/m);
      return "refused inside";
    },
  },
  {
    item: 13,
    title: "a plugin's own throw: its stack goes to the operator, in its author's files, and not back",
    source: hostile({
      methods: {
        createNetwork: `createNetwork() { const error = new Error("mine"); saw.stack = String(error.stack); throw error; }`,
        createEndpoint: `createEndpoint() {}`,
      },
    }),
    async run({ driver }) {
      const error = await driver()
        .createNetwork("n")
        .then(
          () => assert.fail("did not throw"),
          (one: { pluginStack?: string; message: string; stack?: string }) => one,
        );
      assert.match(error.message, /mine/);
      assert.match(error.pluginStack ?? "", /hostile\.js:\d+/);
      assert.doesNotMatch(error.pluginStack ?? "", /bootstrap|node:|node_modules/);
      return "refused inside";
    },
  },
  {
    item: 14,
    title: "the source of endowments tells no path and no value of the host's",
    source: hostile({
      init: `
        const texts = [];
        const seen = new Set();
        const read = (value) => {
          if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
          seen.add(value);
          if (typeof value === "function") texts.push(Function.prototype.toString.call(value));
          for (const key of Reflect.ownKeys(value)) { const d = Reflect.getOwnPropertyDescriptor(value, key); read(d.value); read(d.get); read(d.set); }
        };
        for (const one of [callback, powers, ...${JSON.stringify(GIVEN)}.map((name) => globalThis[name]), Reflect, eval, Function]) read(one);
        saw.count = texts.length;
        saw.secrets = texts.filter((text) => /\\/(work|home|root|tmp|usr)\\/|file:\\/\\//.test(text)).join("\\n");
        attempt("forged", () => { Function.prototype.toString = () => "forged"; });`,
    }),
    async run({ report }) {
      const saw = await report();
      assert.ok(Number(saw.count) > 50);
      assert.equal(saw.secrets, "");
      assert.match(String(saw.forged), /^threw /);
      return "refused inside";
    },
  },
  {
    item: 15,
    title: "environment, arguments, folder, machine: nothing is there, not even at bundling time",
    source: hostile({
      top: `
      attempt("process", () => process.env.PATH);
      attempt("env by define", () => { const { env } = globalThis.process; return env; });
      attempt("NODE_ENV", () => { saw.node = process.env.NODE_ENV; throw new Error("built in"); });
      attempt("import.meta", () => import.meta.url);
      attempt("dirname", () => __dirname);
      attempt("filename", () => __filename);
      attempt("global", () => global.process.cwd());
      attempt("navigator", () => navigator.hardwareConcurrency);
      attempt("locale", () => { if ([1.5, new Date(0)].map((one) => one.toLocaleString("de")).join().includes("1,5")) return "locale"; throw new Error("none"); });
      for (const name of ["DateTimeFormat", "NumberFormat", "PluralRules", "RelativeTimeFormat", "ListFormat", "Collator", "Segmenter"])
        attempt(name, () => {
          const made = [[], [undefined], [[]], ["xx"], [["xx", "yy"]], [undefined, {}], ["en-US", { timeZone: undefined }]].map((args) => new Intl[name](...args).resolvedOptions());
          const told = made.filter(({ locale, timeZone = "UTC" }) => !["en", "en-US"].includes(locale) || timeZone !== "UTC");
          if (told.length === 0) throw new Error("none");
          return told.map(({ locale, timeZone }) => locale + " " + timeZone).join();
        });
      attempt("hour", () => { const hour = new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23" }).format(0); if (Number(hour) === 0) throw new Error("none"); return hour; });`,
    }),
    // Not where the tests' machine is, so that a machine's own would show.
    async prepare() {
      process.env.TZ = "Asia/Kathmandu";
    },
    async run({ report }) {
      const {
        node,
        "import.meta": meta,
        ...saw
      } = await report().finally(() => {
        delete process.env.TZ;
      });
      assert.equal(node, "production");
      assert.match(String(meta), /^(threw |undefined)/);
      for (const [name, what] of Object.entries(saw))
        assert.match(String(what), /^(threw |undefined)/, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 16,
    title: "inspect hooks, getters, proxies and toJSON in what is logged are not run",
    source: hostile({
      init: `
        let ran = "";
        const trap = (name) => () => { ran += name + " "; return "x"; };
        const bait = {
          [Symbol.for("nodejs.util.inspect.custom")]: trap("inspect"), toString: trap("toString"), toJSON: trap("toJSON"), [Symbol.toPrimitive]: trap("toPrimitive"),
          get [Symbol.toStringTag]() { ran += "tag "; return "x"; }, get a() { ran += "getter "; return 1; }, constructor: { get name() { ran += "constructor "; return "x"; } },
        };
        const proxy = new Proxy(() => {}, new Proxy({}, { get(_, key) { ran += "trap:" + String(key) + " "; } }));
        const error = Object.defineProperties(new Error("m"), { message: { get: trap("message") }, stack: { get: trap("stack") }, name: { get: trap("name") }, cause: { value: bait } });
        for (const one of [bait, proxy, error, [bait, proxy], new Map([[bait, proxy]]), new Set([error]), Object.create(proxy), class { static get name() { ran += "static "; } }]) {
          console.log(one); console.log("%s %d %i %f %j %o %O %c", one, one, one, one, one, one, one, one); console.error(one); console.assert(false, one);
          try { powers.log("info", "m", { one }); } catch {}
        }
        saw.ran = ran;`,
    }),
    async run({ report, log }) {
      assert.equal((await report()).ran, "");
      assert.ok(log.filter((line) => line.fields.plugin === "hostile").length > 8);
      return "refused inside";
    },
  },
  {
    item: 17,
    title: "no channel to other threads: BroadcastChannel, ports, environment data, shared memory",
    source: hostile({
      top: `
      for (const name of ${JSON.stringify(withoutGiven(CHANNELS))}) {
        attempt(name, () => (0, eval)(name));
        attempt(name + " on globalThis", () => globalThis[name]);
      }
      attempt("growable", () => { const it = new ArrayBuffer(8, { maxByteLength: 64 }); if (typeof it.grow !== "function") throw new Error("none"); return it.grow; });
      attempt("shared by wasm", () => new (0, eval)("WebAssembly").Memory({ initial: 1, maximum: 1, shared: true }).buffer);`,
    }),
    async run({ report }) {
      for (const [name, what] of Object.entries(await report()))
        assert.match(String(what), /^(threw |undefined)/, `${name}: ${what}`);
      return "refused inside";
    },
  },
];

/** Class B, leak: what plugins could share, measure, or forge in the log. */
import { strict as assert } from "node:assert";
import type { HostileCase } from "../case.js";
import { GIVEN } from "../globals.js";
import { hostile } from "../source.js";

export const SHARED: readonly HostileCase[] = [
  {
    item: 18,
    title: "nothing is shared across drivers of one endowment, across calls, or across restarts but the store",
    source: hostile({
      top: `globalThis.marked = 1; let calls = 0;`,
      init: `saw.before = String(await powers.store.get("mark")); await powers.store.set("mark", "here"); saw.keys = (await powers.store.keys()).join(); attempt("symbol", () => { const key = Symbol.for("shared"); console[key] = 1; }); attempt("function", () => { setTimeout.shared = 1; }); for (const name of ${JSON.stringify(GIVEN)}) for (const one of [globalThis[name], globalThis[name].prototype ?? globalThis[name]]) attempt("mark on " + name, () => { one.shared = 1; }); saw.registry = String(Symbol.for("shared").description);`,
      methods: {
        createNetwork: `createNetwork(nid, options, ctx) { saw.options = typeof options.seen; options.seen = true; if (nid === "crash" && !ctx.replay) setTimeout(() => { throw new Error("on purpose"); }, 0); }`,
      },
    }),
    async run({ report, driver, event }) {
      const options = { a: 1 };
      await driver().createNetwork("one", options);
      await driver().createNetwork("two", options);
      assert.deepEqual(options, { a: 1 });
      const saw = await report();
      assert.deepEqual([saw.before, saw.keys, saw.options], ["null", "mark", "undefined"]);
      for (const name of ["symbol", "function", ...GIVEN.map((one) => `mark on ${one}`)])
        assert.match(String(saw[name]), /^threw TypeError/, name);
      await driver()
        .createNetwork("crash")
        .catch(() => {});
      await event("plugin:restarted");
      return "refused inside";
    },
  },
  {
    item: 19,
    title: "NaN bits carry nothing over the wire, and the clock has its grant's grain",
    source: hostile({
      init: `
        const bits = new DataView(new ArrayBuffer(8)); bits.setBigUint64(0, 0x7ff8dead12345678n);
        attempt("NaN", () => powers.store.set("k", bits.getFloat64(0))); attempt("infinity", () => powers.store.set("k", { a: [1 / 0] }));
        await settled();
        await powers.store.set("zero", -0); saw.zero = Object.is(await powers.store.get("zero"), 0);
        saw.whole = true; let ticks = 0, last = Date.now();
        const steps = new Set(); for (let i = 0; i < 100000; i++) { const now = Date.now(); if (!Number.isInteger(now)) saw.whole = false; if (now !== last) { steps.add(now - last); last = now; ticks++; } }
        saw.whole &&= [...steps].every(Number.isInteger);
        saw.ticks = true;
        for (let i = 0; i < 100000; i++) { const before = Date.now(), now = performance.timeOrigin + performance.now(), after = Date.now(); if (now < before || now > after || !Number.isInteger(now)) saw.ticks = false; }
        attempt("hrtime", () => process.hrtime()); attempt("Temporal", () => Temporal.Now.instant()); attempt("timeout", () => AbortSignal.timeout(1)); attempt("mark", () => performance.mark("x")); attempt("stamp", () => { const { timeStamp } = new Event("x"); if (timeStamp === undefined) throw new Error("none"); return timeStamp; });
        attempt("finer", () => { const format = new Intl.DateTimeFormat("en", { fractionalSecondDigits: 3 }); for (let i = 0; i < 1000; i++) { const before = Date.now(), now = Number(format.format()), after = Date.now(); if (now < before % 1000 && after % 1000 >= before % 1000) return now; } throw new Error("none"); });`,
    }),
    async run({ report }) {
      const { zero, whole, ticks, ...saw } = await report();
      assert.deepEqual({ zero, whole, ticks }, { zero: true, whole: true, ticks: true });
      for (const [name, what] of Object.entries(saw)) assert.match(String(what), /^threw /, `${name}: ${what}`);
      return "refused inside";
    },
  },
  {
    item: 20,
    title: "newlines, ANSI codes, bidi marks and forged prefixes stay on the plugin's own line",
    source: hostile({
      init: `
        const texts = ["a\\nbulkhead: plugin \\"neighbour\\" ended", "\\u001b[2K\\u001b[1A\\rforged", "\\u009b31mred", "\\u202eevil\\u2066", "a\\u2028b\\u2029c", "tab\\tand\\u0000null", "\\u0008\\u0008\\u007f", "x".repeat(1e6), "\\ud800lone", "%s%d%j".repeat(50), "{\\"plugin\\":\\"neighbour\\",\\"level\\":50}"];
        for (const text of texts) { console.log(text); console.error(text, { [text.slice(0, 100)]: text }); powers.log("warn", text, { plugin: "neighbour", code: text.slice(0, 50) }); }
        const error = new Error(texts.slice(0, 6).join("")); error.name = texts[1]; error.code = texts[0]; console.error(error);`,
      methods: {
        createNetwork: `createNetwork(nid) { if (nid === "n") return; throw Object.assign(new Error("one\\ntwo \\u001b[31m"), { name: "x\\ny" }); }`,
        leave: "leave() {}",
      },
    }),
    async run({ report, log, driver }) {
      await report();
      await assert.rejects(driver().createNetwork("throws"));
      const lines = log.filter((line) => line.fields.plugin !== "neighbour" && !("wall" in line.fields));
      assert.ok(lines.length >= 20);
      for (const { message, fields } of lines) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
        const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
        assert.doesNotMatch(message, unsafe);
        assert.equal(fields.plugin, "hostile");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: as above; JSON escapes the rest.
        assert.doesNotMatch(String(JSON.stringify(fields.fields ?? {})), /[\u0000-\u001f]/);
        assert.ok(message.length < 5000);
      }
      assert.ok(!log.some((line) => line.fields.plugin === "neighbour"), "a forged line");
      return "refused inside";
    },
  },
];

/** The web's small classes that every plugin has: AbortController and what it needs, base64, and the two float arrays. */
import { endow } from "#dist/permissions/text-globals/worker.js";
import { assert, suite } from "../harness.js";
import { compartmentWith, inside, refusalOf, walk } from "./tamper.js";

const test = suite("permission text: abort, base64, floats");
const compartment = compartmentWith({ text: endow() });
const is = (source: string, expected: unknown): void => {
  assert.equal(JSON.parse(JSON.stringify(inside(compartment, source) ?? null)), expected);
};

test("an AbortController aborts its signal once, with a reason", () => {
  is(
    `(() => { const c = new AbortController(); const seen = []; c.signal.addEventListener("abort", (e) => seen.push(e.type, e.target === c.signal));
    c.signal.onabort = () => seen.push("handler"); c.abort(); c.abort("again"); return [seen, c.signal.aborted, c.signal.reason.name, c.signal.reason.code]; })()`,
    [["handler", "abort", true], true, "AbortError", 20],
  );
  is(`AbortSignal.abort(5).reason`, 5);
  is(
    `(() => { try { AbortSignal.abort().throwIfAborted(); } catch (e) { return e instanceof Error && e instanceof DOMException && e.name; } })()`,
    "AbortError",
  );
  is(
    `(() => { const c = new AbortController(); const any = AbortSignal.any([c.signal, new AbortController().signal]); c.abort("x"); return [any.aborted, any.reason]; })()`,
    [true, "x"],
  );
  is(`(() => { try { new AbortSignal(); } catch (e) { return e.name; } })()`, "TypeError");
  is('["constructor", "__proto__", "toString"].map((name) => new DOMException("m", name).code)', [0, 0, 0]);
});

test("an EventTarget: once, removal, order, a subclass", () => {
  is(
    `(() => { class A extends EventTarget { go() { return this.dispatchEvent(new Event("x", { cancelable: true })); } }
    const a = new A(); const seen = []; const two = () => seen.push(2); a.addEventListener("x", () => seen.push(1), { once: true });
    a.addEventListener("x", two); a.addEventListener("x", two); a.addEventListener("x", { handleEvent(e) { seen.push(e.type); e.preventDefault(); } });
    const first = a.go(); a.removeEventListener("x", two); a.go(); return [seen, first]; })()`,
    [[1, 2, "x", "x"], false],
  );
});

test("a listener's signal takes it away; one that has fired keeps it out; a call's signal counts too", () => {
  is(
    `(() => { const seen = []; const t = new EventTarget(); const c = new AbortController(); let fire; const call = { aborted: false, addEventListener(_, run) { fire = run; } };
    t.addEventListener("x", () => seen.push(1), { signal: c.signal }); t.addEventListener("x", () => seen.push(2), { signal: call }); t.addEventListener("x", () => seen.push(3), { signal: AbortSignal.abort() });
    t.dispatchEvent(new Event("x")); c.abort(); fire(); t.dispatchEvent(new Event("x")); return seen; })()`,
    [1, 2],
  );
});

test("atob and btoa are the standard's", () => {
  is('[btoa("a\\u00ff"), atob("YQ=="), atob(" Y Q "), btoa("")]', ["Yf8=", "a", "a", ""]);
  for (const wrong of ['btoa("€")', 'atob("Y")', 'atob("Y===")', 'atob("Y*==")'])
    assert.is(refusalOf(compartment, wrong).name, "InvalidCharacterError");
});

test("Float32Array and Float64Array are typed arrays as the others", () => {
  is(
    "[new Float64Array([1.5])[0], new Float32Array(2).length, Object.getPrototypeOf(Float64Array) === Object.getPrototypeOf(Uint8Array)]",
    [1.5, 2, true],
  );
  is("structuredClone(new Float64Array([2.5]))[0]", 2.5);
});

test("a clone's date is the plugin's own", () => {
  assert.is(inside(compartment, "structuredClone(new Date(5)).getTime()"), 5);
});

test("cannot be tampered with", () => {
  const samples = `({ controller: new AbortController(), signal: new AbortController().signal, event: new Event("x"), error: new DOMException("m", "n"), floats: new Float64Array(1) })`;
  assert.equal(walk({ text: endow() }, samples).findings, []);
});

test.run();

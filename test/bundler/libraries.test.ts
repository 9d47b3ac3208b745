/** Common libraries, installed into a plugin's folder, load in a compartment and work. */
import { assert, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { evaluate } from "./compartment.js";
import { bundle, install, pluginFolder } from "./plugin-folder.js";

const test = suite("bundler: libraries");
forgetBundles();

/** lodash asks for the time in merge(), which the harmless default set of a plugin endows. */
const clock = { Date };

const libraries: Record<string, { packages: string[]; code: string; expected: unknown }> = {
  "ipaddr.js": {
    packages: ["ipaddr.js"],
    code: `import ipaddr from "ipaddr.js";
      export const use = () => [ipaddr.parse("10.1.2.3").match(ipaddr.parseCIDR("10.0.0.0/8")), ipaddr.parse("fd00::1").toNormalizedString(), ipaddr.isValid("nope")];`,
    expected: [true, "fd00:0:0:0:0:0:0:1", false],
  },
  zod: {
    packages: ["zod"],
    code: `import { z } from "zod";
      const shape = z.object({ subnet: z.string().regex(/\\d/), mtu: z.number().int().min(1280).default(1500) });
      export const use = () => [shape.parse({ subnet: "10.0.0.0/8" }), shape.safeParse({ subnet: 1 }).success, shape.safeParse({}).error.issues[0].path];`,
    expected: [{ subnet: "10.0.0.0/8", mtu: 1500 }, false, ["subnet"]],
  },
  immer: {
    packages: ["immer"],
    code: `import { produce, enableMapSet } from "immer";
      enableMapSet();
      export const use = () => { const a = { list: [1], map: new Map([["k", 1]]) };
        const b = produce(a, (draft) => { draft.list.push(2); draft.map.set("k", 2); });
        return [a.list, b.list, a.map.get("k"), b.map.get("k")]; };`,
    expected: [[1], [1, 2], 1, 2],
  },
  lodash: {
    packages: ["lodash"],
    code: `import _ from "lodash"; import groupBy from "lodash/groupBy.js";
      export const use = () => [_.merge({ a: { b: 1 } }, { a: { c: 2 } }), _.chunk([1, 2, 3], 2), _.camelCase("a-b"), _.cloneDeep({ x: [1] }), groupBy([1, 2, 3], (n) => n % 2), _(["b", "a"]).sortBy().value()];`,
    expected: [{ a: { b: 1, c: 2 } }, [[1, 2], [3]], "aB", { x: [1] }, { 0: [2], 1: [1, 3] }, ["a", "b"]],
  },
  rxjs: {
    packages: ["rxjs", "tslib"],
    code: `import { from, Subject, map, filter, toArray, mergeMap, of, throwError, catchError } from "rxjs"; import { scan } from "rxjs/operators";
      export const use = async () => { const out = [];
        from([1, 2, 3]).pipe(map((n) => n * 2), filter((n) => n > 2), scan((a, n) => a + n, 0), toArray()).subscribe((v) => out.push(v));
        const s = new Subject(); s.pipe(mergeMap((n) => of(n, n))).subscribe((v) => out.push(v)); s.next(7); s.complete();
        throwError(() => new Error("x")).pipe(catchError((e) => of(e.message))).subscribe((v) => out.push(v));
        return out; };`,
    expected: [[4, 10], 7, 7, "x"],
  },
};

for (const [name, { packages, code, expected }] of Object.entries(libraries)) {
  test(`${name}, for a bare file`, async (t) => {
    const root = await pluginFolder(t, { "index.js": code });
    await install(root, ...packages);
    const started = performance.now();
    const bundled = await bundle(root, { single: true });
    console.log(
      `NOTE ${name}: ${bundled.files.length} files, ${bundled.code.length} bytes, ${Math.round(performance.now() - started)} ms`,
    );
    const use = evaluate(bundled, clock).use as () => unknown;
    assert.equal(JSON.parse(JSON.stringify(await use())), expected);
    // The others in a folder: below.
    if (name === "ipaddr.js") assert.is((await bundle(root)).code, bundled.code);
  });
}

test("all of them in one TypeScript plugin, in a folder", async (t) => {
  const names = Object.keys(libraries);
  const files = Object.fromEntries(names.map((name, n) => [`lib${n}.ts`, libraries[name]?.code ?? ""]));
  const root = await pluginFolder(t, {
    ...files,
    "index.js": names.map((_, n) => `export { use as use${n} } from "./lib${n}.ts";`).join("\n"),
  });
  await install(root, ...names, "tslib");
  const exports = evaluate(await bundle(root), clock);
  for (const [n, name] of names.entries()) {
    const use = exports[`use${n}`] as () => unknown;
    assert.equal(JSON.parse(JSON.stringify(await use())), libraries[name]?.expected, name);
  }
});

test.run();

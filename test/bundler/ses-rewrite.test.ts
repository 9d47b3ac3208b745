/**
 * Text that SES would take for import(), eval() or an HTML comment keeps its value; the real thing is refused, with its
 * line.
 */
import { SourceMap } from "node:module";
import fc from "fast-check";
import { applyEdits } from "#dist/bundler/edits.js";
import { rewriteForSes } from "#dist/bundler/ses-rewrite.js";
import { assert, rejection, suite } from "../harness.js";
import { forgetBundles } from "../kit/bundles.js";
import { accepts, evaluate } from "./compartment.js";
import { bundle, pluginFolder, refused } from "./plugin-folder.js";

const test = suite("bundler: SES rewrite");
forgetBundles();

const spellings = [
  "import(x)",
  "import (x)",
  "import\t(x)",
  "import/*x*/",
  "import//x",
  "...import(x)",
  "$import(x)",
  "\\import(x)",
  "import(import(x))",
  "eval(x)",
  "eval (x)",
  "$eval(x)",
  "\\eval(x)",
  "eval(eval(x))",
  "<!-- x",
  "x -->",
  "<!-->",
  "<!-- import(eval(x)) -->",
  "--->",
  "<!--->",
];

for (const text of spellings) {
  test(`${JSON.stringify(text)} in a string, a template and a key`, async (t) => {
    const json = JSON.stringify(text);
    const raw = text.replaceAll("\\", "\\\\");
    const root = await pluginFolder(t, {
      "index.js": `export const string = ${json}; export const template = \`a\${1}${raw}\${2}\`; export const multi = \`\n${raw}\n\`;
        export const key = Object.keys({ [${json}]: 1, ${json}: 2 })[0]; export { default as data } from "./data.json";`,
      "data.json": json,
    });
    const exports = evaluate(await bundle(root));
    assert.is(exports.string, text);
    assert.is(exports.template, `a1${text}2`);
    assert.is(exports.multi, `\n${text}\n`);
    assert.is(exports.key, text);
    assert.is(exports.data, text);
  });
}

const regexes: Array<[source: string, matches: string[], not: string[]]> = [
  ["import(x)", ["importx"], ["impo"]],
  ["^import//", [], []],
  ["\\bimport(?:x)", ["importx"], ["ximportx"]],
  ["(?<!--)>", [">", "->"], ["-->"]],
  ["(?<!--a)b", ["b"], ["--ab"]],
  ["a(?<!-->)c", ["ac"], ["-->c"]],
  ["^[<!--a]$", ["<", "!", "#", "-", "a"], [".", "b"]],
  ["^[--> ]$", ["-", "5", ">", " "], ["?", ","]],
  ["^[\\]<!--]$", ["]", "<", "!", "-"], ["#x"]],
  ["\\[<!--", ["[<!--"], ["<!--"]],
  ["-->", ["-->"], ["->"]],
  ["\\beval(x)", ["evalx"], ["xevalx"]],
  ["^\\eval(x)", ["evalx"], ["val"]],
  ["^[eval(]+$", ["eval("], ["x"]],
];
for (const [source, matches, not] of regexes) {
  for (const flags of ["", "u", "i"]) {
    test(`/${source}/${flags}`, async () => {
      let regex: RegExp;
      try {
        regex = new RegExp(source, flags);
      } catch {
        return; // Not every one is valid with u.
      }
      const literal = `/${regex.source}/${flags}`;
      const rewrite = rewriteForSes(literal);
      assert.ok("edits" in rewrite);
      const code = "edits" in rewrite ? applyEdits(literal, rewrite.edits) : "";
      assert.ok(accepts(code), code);
      const rewritten = new Compartment().evaluate(code) as RegExp;
      for (const text of matches) assert.ok(rewritten.test(text), `${code} should match ${text}`);
      for (const text of not) assert.not.ok(rewritten.test(text), `${code} should not match ${text}`);
    });
  }
}

test("any text around any spelling keeps its value", async () => {
  const text = fc
    .array(
      fc.oneof(fc.constantFrom(...spellings, "\\", "`", "${", "'", '"', "\n", "/", "!", "<", "-", ">"), fc.string()),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (value) => {
      const literal = `(${JSON.stringify(value).replace(/[\u2028\u2029]/g, " ")})`;
      const template = `(\`${value.replace(/[\\`]|\$\{/g, "\\$&").replaceAll("\r", "\\r")}\`)`;
      for (const [code, expected] of [
        [literal, value.replace(/[\u2028\u2029]/g, " ")],
        [template, value],
      ] as const) {
        const rewrite = rewriteForSes(code);
        if (!("edits" in rewrite)) throw new Error(`refused: ${code}`);
        const rewritten = applyEdits(code, rewrite.edits);
        if (!accepts(rewritten)) throw new Error(`SES refuses ${rewritten}`);
        assert.is(new Compartment().evaluate(rewritten), expected);
      }
    }),
    { numRuns: 300 },
  );
});

test("names that end in import or eval, and methods of these names", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": `const $import = (x) => x, $eval = (x) => -x;
      class A { #import(x) { return x; } import(x) { return this.#import(x); } static eval(x) { return x; } get eval2() { return $eval(1); } }
      const o = { import(x) { return x + 1; }, eval(x) { return x + 2; }, async *import2() {} };
      let n = 3, c = 0; while (n-->0) c++;
      export const all = [$import(1), $eval(2), new A().import(3), A.eval(4), new A().eval2, o.import(5), o.eval(6), o?.import(7), c, 1 < !--n];`,
  });
  assert.equal(evaluate(await bundle(root)).all, [1, -2, 3, 4, -1, 6, 8, 8, 3, false]);
});

for (const [what, code, line] of [
  ["import() of a computed path", 'const s = "import(1)";\n\nexport const f = (p) => import(p);', 3],
  ["a direct eval", 'const s = "eval(1)";\n\n\nexport const f = (p) => [1, eval(p)];', 4],
  ["a tagged template", "const tag = String.raw;\nexport const f = tag`\nimport(x)`;", 3],
  ["a tagged template's later part", `const tag = String.raw;\nexport const f = (a) =>\n tag\`\${a} <!-- \${a}\`;`, 3],
] as const) {
  test(`${what} is refused with its line`, async (t) => {
    const root = await pluginFolder(t, { "index.js": 'export * from "./b.js";', "b.js": code });
    const error = await refused(t, root);
    assert.is(error.code, "ERR_PLUGIN_SYNTAX", error.message);
    assert.is(error.file, "b.js");
    assert.is(error.line, line, error.message);
    assert.match(error.message, /sandbox/);
  });
}

test("import() of a fixed path is bundled", async (t) => {
  const root = await pluginFolder(t, {
    "index.js": 'export const f = () => import("./b.js");',
    "b.js": "export const b = 5;",
  });
  const f = evaluate(await bundle(root)).f as () => Promise<{ b: number }>;
  assert.is((await f()).b, 5);
});

test("the source map still leads to each author's place behind many rewrites", async (t) => {
  const line = (n: number): string =>
    `export const s${n} = ["import(${n}) --> eval(", "<!--"], f${n} = () => { throw ${n}; };`;
  const source = Array.from({ length: 40 }, (_, n) => (n === 20 ? "export const lines = `\n-->\n`;" : line(n))).join(
    "\n",
  );
  const plain = await bundle(
    await pluginFolder(t, { "index.js": source.replaceAll(/import\(|-->|eval\(|<!--/g, "same") }),
  );
  const { code, sourceMap } = await bundle(await pluginFolder(t, { "index.js": source }));
  assert.is.not(JSON.parse(sourceMap).mappings, JSON.parse(plain.sourceMap).mappings);
  const map = new SourceMap(JSON.parse(sourceMap));
  for (const [index, text] of source.split("\n").entries()) {
    const number = /throw (\d+)/.exec(text)?.[1];
    if (number === undefined) continue;
    const at = code.indexOf(`throw ${number}}`);
    const entry = map.findEntry(code.slice(0, at).split("\n").length - 1, at - (code.lastIndexOf("\n", at) + 1));
    assert.ok("originalLine" in entry && at > 0);
    if (!("originalLine" in entry)) continue;
    assert.is(entry.originalLine, index);
    assert.is(entry.originalColumn, text.indexOf("throw"));
  }
});

test("a bundle that needs no rewriting is left as it is", async (t) => {
  const root = await pluginFolder(t, { "index.js": 'export const a = "important (x) evaluation";' });
  const { code } = await bundle(root);
  assert.match(code, /important \(x\) evaluation/);
  assert.is((await rejection(bundle(`${root}-gone`))).code, "ERR_PLUGIN_FILE");
});

test.run();

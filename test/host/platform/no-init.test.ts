/** A plugin without `init`: what it exports instead is named, and what to write. */
import { assert, suite } from "../../harness.js";
import { house, row } from "../../kit/host.js";

const test = suite("host: a plugin without init");

const CASES: readonly (readonly [file: string, code: string, says: RegExp])[] = [
  [
    "named.js",
    "export default async function init() {}",
    /its default export is a function; write "export async.*without "default"$/,
  ],
  [
    "class.js",
    "export default class Driver { config() {} }",
    /its default export is a class; write "export async.*, and register an instance of the class there$/,
  ],
  ["object.js", "export default { init() {} };", /its default export is an object that has it; .*without "default"$/],
  ["common.js", "module.exports = function init() {};", /its module\.exports is a function; write exports\.init = …$/],
  [
    "other.js",
    "export function start() {}\nexport const on = 1;",
    /exports no function "init", only on, start; write "export async/,
  ],
  ["empty.js", "const init = () => {};", /exports no function "init", nor anything else; write "export async/],
  ["number.js", "export const init = 7;", /exports no function "init": what it exports by that name is a number$/],
  [
    "hostile.js",
    "module.exports = new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } });",
    /^plugin "hostile": /,
  ],
];

test("each has its words", async (t) => {
  const { open } = await house(t, Object.fromEntries(CASES.map(([file, code]) => [file, code])));
  const host = await open();
  for (const [file, , says] of CASES) {
    const { refusal } = row(host, file.replace(".js", ""));
    assert.match(refusal?.message ?? "", says, file);
    assert.is(refusal?.code, file === "hostile.js" ? "ERR_PLUGIN_LOAD" : "ERR_PLUGIN_NO_INIT", file);
  }
});

test.run();

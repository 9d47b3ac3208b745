/** `test` tries the contract's rules on a plugin: each is ok, or broken with what happened, the rule and the seed's sentence. */
import "../kit/bundles.js";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { assert, suite } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import { cli, fill, type Ran } from "./cli.js";

const test = suite("cli/test");

/** Only the rules named. */
const ruleFlags = (...ids: readonly string[]): string[] => ids.flatMap((id) => ["--rule", id]);

/** One line of `--json`. */
interface Line {
  readonly rule?: string;
  readonly ok: boolean;
  readonly error?: { readonly code: string };
  readonly console?: readonly string[];
  readonly [key: string]: unknown;
}

/** The objects that a run printed, one a line. */
const lines = ({ out }: Ran): Line[] =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

/** A driver that adds one interface, whose address is `address`, an expression of the endpoint's id. */
const addresses = (address: string): string =>
  `createEndpoint(_n, eid, info) { if (info.interfaces().length === 0) info.addInterface(0, "", ${address}, ""); },`;

test("a file and a folder, JavaScript and TypeScript: each rule, and how many are kept", async (t) => {
  const root = await t.folder();
  await fill(root, {
    "one.js": plugin("one"),
    "two.ts": plugin("two").replace("init(callback, powers)", "init(callback: any, powers: unknown)"),
    "three/plugin.json": "{}",
    "three/index.js": plugin("three"),
  });
  for (const [path, id] of [
    ["one.js", "one"],
    ["two.ts", "two"],
    ["three", "three"],
  ] as const) {
    const ran = await cli(["test", join(root, path), ...ruleFlags("nine-methods", "type")]);
    assert.is(ran.exit, 0, ran.err);
    assert.match(
      ran.out,
      new RegExp(
        `^${id}, type ${id}: 2 rules\\n {2}ok {6}nine-methods +[\\d.]+ s\\n {2}ok {6}type .*\\n2 kept, 0 broken\\n$`,
      ),
    );
  }
});

test("a broken rule: what happened, the rule, the seed's sentence, and what the plugin wrote", async (t) => {
  const root = await t.folder();
  const methods = addresses('(console.log("to\\u001b[2J " + eid.length), "10.1.0.2/24")');
  await fill(root, { "one.js": plugin("one", { methods }) });
  const args = ["test", join(root, "one.js"), ...ruleFlags("type", "addresses-are-unique")];
  const ran = await cli(args);
  assert.is(ran.exit, 1);
  assert.match(ran.out, /^ {2}broken {2}addresses-are-unique +[\d.]+ s\n {10}what: +.*10\.1\.0\.2/m);
  assert.match(ran.out, /^ {10}the rule: .+\n {10}the seed: Address returns the IPv4 address\.$/m);
  assert.match(ran.out, /^ {10}console: +to\\u\{1b\}\[2J 64$/m);
  assert.match(ran.out, /^1 kept, 1 broken$/m);
  assert.is(ran.err, 'error ERR_CONTRACT_BROKEN: plugin "one" breaks 1 of 2 rules: addresses-are-unique\n');

  const [first, second, last, ...more] = lines(await cli([...args, "--json"]));
  assert.equal([first?.rule, first?.ok, first?.type], ["type", true, "one"]);
  assert.equal(
    [second?.rule, second?.ok, second?.seed],
    ["addresses-are-unique", false, "Address returns the IPv4 address."],
  );
  assert.equal([last?.ok, last?.plugin, last?.kept, last?.broken], [false, "one", 1, ["addresses-are-unique"]]);
  assert.is(last?.error?.code, "ERR_CONTRACT_BROKEN");
  assert.equal(more, []);
});

test("a driver that throws is a line with the author's file and line, and never a stack", async (t) => {
  const root = await t.folder();
  const methods = 'createNetwork() {\n throw new TypeError("boo\\n  ok      forged  0.1 s\\n    at x (y.js:1:1)"); },';
  await fill(root, { "one.js": plugin("one", { methods }) });
  const ran = await cli(["test", join(root, "one.js"), ...ruleFlags("nine-methods")]);
  assert.is(ran.exit, 1);
  assert.match(ran.out, /what: +ERR_DRIVER_FAILED \(Internal\): boo\\n {2}ok.* \(one\.js:8\)$/m);
  assert.not.match(ran.out + ran.err, /^\s*at /m);
  assert.not.match(ran.out, /^ {2}ok {6}forged/m);
  const [result] = lines(await cli(["test", join(root, "one.js"), ...ruleFlags("nine-methods"), "--json"]));
  assert.equal([result?.code, result?.file, result?.line], ["ERR_DRIVER_FAILED", "one.js", 8]);
});

test("a driver that hangs ends the run after three rules", async (t) => {
  const root = await t.folder();
  await fill(root, {
    "one.js": plugin("one", { methods: "createNetwork() { return new Promise(() => {}); }," }),
    "one.plugin.json": '{ "timeouts": { "default": 300 } }',
  });
  const ids = ["nine-methods", "type", "create-network", "networks-apart", "delete-network", "networks-leave-nothing"];
  const ran = await cli(["test", join(root, "one.js"), ...ruleFlags(...ids)]);
  assert.is(ran.exit, 1);
  assert.match(ran.out, /broken {2}nine-methods.*\n +what: +ERR_DRIVER_TIMEOUT \(Timeout\): .*300 ms/);
  assert.match(ran.out, /^1 kept, 4 broken|^1 kept, 3 broken, \d not tried$/m);
  assert.match(ran.err, /met a driver that does not answer, so \d more were not tried/);
});

test("a plugin that does not load is one error, with the author's own paths; nothing is left", async (t) => {
  const root = await t.folder();
  const temporary = await t.folder();
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  t.cleanup(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  await fill(root, {
    "syntax.js": "\nexport const = 1;\n",
    "bad/plugin.json": '{\n"scop": 1}',
    "throws.js": 'export function init() {\n  throw new Error("boo");\n}\n',
  });
  for (const [path, code, words] of [
    ["syntax.js", "ERR_PLUGIN_SYNTAX", "syntax.js:2"],
    ["bad", "ERR_MANIFEST_INVALID", join(root, "bad/plugin.json:2:1: scop")],
    ["throws.js", "ERR_PLUGIN_INIT", "boo (throws.js:2)"],
    ["nowhere", "ERR_PLUGIN_FILE", "file or folder not found"],
  ] as const) {
    const ran = await cli(["test", join(root, path)]);
    assert.equal([ran.exit, ran.out], [1, ""], path);
    assert.match(ran.err, new RegExp(`^error ${code}: .*\n$`));
    assert.ok(ran.err.includes(words), ran.err);
    const json = await cli(["test", join(root, path), "--json"]);
    assert.is(lines(json)[0]?.error?.code, code);
  }
  assert.equal(await readdir(temporary), []);
});

test("wrong use is exit 2", async (t) => {
  const root = await t.folder();
  await fill(root, { "one.js": plugin("one") });
  for (const [args, words] of [
    [["--rule", "tpe"], /--rule "tpe": unknown rule; did you mean "type"\?/],
    [["--except", "nonsense-of-mine"], /unknown rule; the rules are nine-methods, type, /],
    [["--rule", "join", "--except", "join"], /--except names every rule that --rule names, so no rule is left to run/],
    [["--rounds", "0"], /--rounds is a whole number from 1 to 10000, not "0"/],
    [["--type", "two"], /plugin "one" does not register that type; it registers one/],
    [["--network-options", "[]"], /--network-options is a JSON object, not "\[\]"/],
  ] as const) {
    const ran = await cli(["test", join(root, "one.js"), ...args]);
    assert.is(ran.exit, 2, ran.err);
    assert.match(ran.err, words);
  }
});

test("networks have an engine's pool, or the options named, with the network's number", async (t) => {
  const root = await t.folder();
  const methods = "createNetwork(_n, options) { console.log(JSON.stringify(options)); throw new Error('seen'); },";
  await fill(root, { "one.js": plugin("one", { methods }) });
  const seen = async (...args: readonly string[]): Promise<unknown> => {
    const [result] = lines(
      await cli(["test", join(root, "one.js"), "--json", ...ruleFlags("networks-apart"), ...args]),
    );
    return JSON.parse(result?.console?.[0] ?? "");
  };
  assert.equal(await seen(), {
    "com.docker.network.ipam": { ipv4: [{ Pool: "10.64.0.0/24", Gateway: "10.64.0.1/24" }], ipv6: [] },
  });
  assert.equal(await seen("--network-options", '{"a": "net {n}"}'), { a: "net 0" });
});

test.run();

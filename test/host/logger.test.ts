/** What reaches a platform's logger is text of one line, wherever a plugin's words stand in it; and a logger that throws harms nobody. */
import { inspect } from "node:util";
import { safeLogger } from "#dist/common/logger.js";
import { DriverError } from "#dist/index.js";
import { assert, rejection, suite } from "../harness.js";
import { house } from "../kit/host.js";

const test = suite("host: the logger");

const EVIL = "no\nbulkhead: FORGED\x1b[31m\u202e\x9b2J";
const UNSAFE = /[\p{Cc}\u202e]/u;

function logged(fields: object): Record<string, unknown> {
  let seen: object | undefined;
  const log = (given: object): void => {
    seen = given;
  };
  safeLogger({ debug: log, info: log, warn: log, error: log }).warn(fields, "words");
  return seen as Record<string, unknown>;
}

test("an error among the fields: its message, its stack, its causes and all it carries are escaped", () => {
  const cause = new TypeError(EVIL);
  const error = new DriverError("ERR_PLUGIN_INIT", EVIL, { plugin: "p", pluginStack: `    at f\n${EVIL}`, cause });
  const { err, plugin } = logged({ err: error, plugin: "p" }) as { readonly err: DriverError; readonly plugin: string };
  assert.is(plugin, "p");
  assert.instance(err, Error);
  assert.is(err.code, "ERR_PLUGIN_INIT");
  assert.match(err.message, "FORGED\\u{1b}[31m");
  for (const one of [err, err.cause as Error]) {
    assert.not.match(one.message, UNSAFE);
    const lines = (one.stack ?? "").split("\n");
    assert.ok(lines.length > 1);
    for (const line of lines) assert.not.match(line, UNSAFE);
    for (const line of lines.slice(1)) assert.match(line, /^ +at /);
  }
  assert.not.match(err.pluginStack ?? "", UNSAFE);
  for (const line of inspect(err, { colors: false }).split("\n")) {
    assert.not.match(line, /^bulkhead/);
    assert.not.match(line, UNSAFE);
  }
  assert.is(error.message, EVIL);
});

test("a frame in a message is not a frame", () => {
  const error = new Error("no\n    at forged (bridge.js:1:1)");
  const { err } = logged({ err: error }) as { readonly err: Error };
  assert.is((err.stack ?? "").split("\n").filter((line) => line.includes("forged")).length, 1);
});

test("fields without an error are the same; a logger that throws costs its line", () => {
  const fields = { plugin: "p" };
  assert.is(logged(fields), fields);
  const bad = (): never => {
    throw new Error("full");
  };
  safeLogger({ debug: bad, info: bad, warn: bad, error: bad }).error({}, "words");
});

for (const [where, source] of [
  ["init", `export function init() { throw new Error(${JSON.stringify(EVIL)}); }`],
  [
    "config",
    `export async function init(callback) {
      const driver = { type: () => "bad", config() { throw new Error(${JSON.stringify(EVIL)}); } };
      for (const name of ["createNetwork", "deleteNetwork", "createEndpoint", "deleteEndpoint", "endpointOperInfo", "join", "leave"]) driver[name] = () => {};
      await callback.registerDriver("bad", driver, { scope: "local" });
    }`,
  ],
] as const) {
  test(`what a plugin's ${where} throws is one line of its refusal, and of the log`, async (t) => {
    const { open, log } = await house(t, { "bad.js": source });
    const host = await open();
    const { message } = await rejection(host.reload("bad"));
    assert.match(message, "FORGED");
    assert.not.match(message, UNSAFE);
    assert.ok(log.some(({ text }) => text.includes("FORGED")));
    for (const { text } of log) assert.not.match(text, UNSAFE);
  });
}

test.run();

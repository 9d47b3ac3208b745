/** What a driver throws, as the platform sees it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ERROR_CODES, type ErrorCode } from "#dist/driverapi/error-codes.js";
import { DriverError, ERROR_STATUS } from "#dist/driverapi/errors.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { createPluginHost } from "#dist/host/plugin-host.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { SILENT } from "../kit/logger.js";

const test = suite("host/errors");

/** Its options say what createNetwork throws; `raw` is code. Line 8 throws what was asked for, line 12 a TypeError. */
const SOURCE = `interface Wish { kind?: string; code?: string; message?: string; raw?: string }
const none = (): void => {};
const raws: Record<string, () => unknown> = {
  text: () => "just text", nothing: () => undefined, nil: () => null, number: () => 7, symbol: () => Symbol("s"), object: () => ({}),
  getter: () => ({ get message() { throw new Error("trap"); } }), proxy: () => new Proxy({}, { get() { throw new Error("trap"); } }),
  huge: () => new Error("x".repeat(100_000)), promise: () => Promise.resolve(1), fn: () => () => 1,
};
function wished({ kind, code, message = "wished" }: Wish): never { throw Object.assign(new Error(message), { kind, code }); }
function createNetwork(_nid: string, options: Wish): void {
  if (options.raw) throw (raws[options.raw] as () => unknown)();
  if (options.message === "bug") {
    (undefined as unknown as { x(): void }).x();
  }
  wished(options);
}
export const init = (callback: { registerDriver(...args: unknown[]): unknown }) => callback.registerDriver("thrower", {
  type: () => "thrower", config: none, createNetwork, deleteNetwork: none, createEndpoint: none, deleteEndpoint: none,
  endpointOperInfo: () => ({}), join: none, leave: none,
}, { scope: "local" });
`;

async function thrower(t: TestContext): Promise<HostedDriver> {
  const dir = await t.folder();
  await writeFile(join(dir, "thrower.ts"), SOURCE);
  const host = await createPluginHost({ plugins: dir, isolation: "thread", logger: SILENT });
  t.cleanup(() => host.close());
  return host.driver("thrower");
}

test("an error carries its message, plugin, driver, method, and the author's file and line", async (t) => {
  const d = await thrower(t);
  const error = await rejection(d.createNetwork("net", { message: "no subnet" }));
  assert.instance(error, DriverError);
  assert.is(error.message, "no subnet");
  const { code, kind, status, plugin, driver, method, file, line, maskable, retry } = error as unknown as DriverError;
  assert.equal(
    { code, kind, status, plugin, driver, method, file, line, maskable, retry },
    {
      code: "ERR_DRIVER_FAILED",
      kind: "Internal",
      status: 500,
      plugin: "thrower",
      driver: "thrower",
      method: "createNetwork",
      file: "thrower.ts",
      line: 8,
      maskable: false,
      retry: false,
    },
  );
  assert.match(String(error.pluginStack), "thrower.ts:14");
  const bug = await rejection(d.createNetwork("net", { message: "bug" }));
  assert.is(bug.line, 12);
});

test("a driver's words are one visible line each: nothing in them moves a terminal or forges a line of a log", async (t) => {
  const d = await thrower(t);
  const error = await rejection(d.createNetwork("net", { message: "no\nsubnet \u001b[2J\u202e!" }));
  assert.is(error.message, "no\\nsubnet \\u{1b}[2J\\u{202e}!");
  assert.not.match(String(error.pluginStack), /[^\n\P{C}]/u);
});

test("libnetwork's kinds are kept with their status, any other kind is Internal", async (t) => {
  const d = await thrower(t);
  for (const [kind, status] of Object.entries(ERROR_STATUS)) {
    const error = await rejection(d.createNetwork("net", { kind }));
    assert.equal([error.code, error.kind, error.status], ["ERR_DRIVER_FAILED", kind, status]);
  }
  for (const kind of ["notfound", "", "__proto__", "constructor"])
    assert.is((await rejection(d.createNetwork("net", { kind }))).kind, "Internal");
});

test("a code is kept only where a driver may give it: the host's own words cannot be forged", async (t) => {
  const d = await thrower(t);
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const row: { readonly kind: string; readonly driver?: true; readonly retry?: true; readonly maskable?: true } =
      ERROR_CODES[code];
    const error = await rejection(d.createNetwork("net", { code, kind: "Forbidden" }));
    if (row.driver) assert.equal([error.code, error.kind], [code, row.kind]);
    else
      assert.equal(
        [error.code, error.kind, error.retry, error.maskable],
        ["ERR_DRIVER_FAILED", "Forbidden", false, false],
        code,
      );
  }
  for (const code of ["ERR_NONE", "__proto__", "toString", "ENOENT"])
    assert.is((await rejection(d.createNetwork("net", { code }))).code, "ERR_DRIVER_FAILED");
});

test("whatever is thrown becomes a DriverError with a message of bounded length", async (t) => {
  const d = await thrower(t);
  for (const raw of [
    "text",
    "nothing",
    "nil",
    "number",
    "symbol",
    "object",
    "getter",
    "proxy",
    "huge",
    "promise",
    "fn",
  ]) {
    const error = await rejection(d.createNetwork("net", { raw }));
    assert.instance(error, DriverError);
    assert.is(error.code, "ERR_DRIVER_FAILED", raw);
    assert.ok(error.message.length > 0 && error.message.length <= 8192, raw);
  }
  assert.is((await rejection(d.createNetwork("net", { raw: "text" }))).message, "just text");
});

test.run();

import {
  DriverError,
  ERROR_CODES,
  ERROR_STATUS,
  type ErrorCode,
  isDriverThrowable,
  isErrorCode,
  isErrorKind,
} from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";

const test = suite("driverapi: errors");
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

test("every row has a kind, a sentence, and nothing that is not known", () => {
  assert.ok(codes.length > 0);
  const known = new Set(["kind", "when", "maskable", "retry", "driver"]);
  for (const code of codes) {
    const row: Record<string, unknown> = ERROR_CODES[code];
    assert.match(code, /^ERR(_[A-Z]+)+$/);
    assert.ok(isErrorKind(row.kind), code);
    assert.ok(typeof row.when === "string" && /^\S.*[^.\s]$/.test(row.when), `${code}: a phrase without a full stop`);
    for (const key of Object.keys(row)) assert.ok(known.has(key), `${code}: ${key}`);
    for (const flag of ["maskable", "retry", "driver"]) {
      assert.ok(row[flag] === undefined || row[flag] === true, `${code}: ${flag} is true or absent`);
    }
  }
});

test("kinds are libnetwork's, with their HTTP status", () => {
  assert.equal(ERROR_STATUS, {
    BadRequest: 400,
    Forbidden: 403,
    NotFound: 404,
    Timeout: 408,
    NotImplemented: 501,
    NoService: 503,
    Internal: 500,
  });
});

test("an error carries its row's kind, status and markers", () => {
  for (const code of codes) {
    const error = new DriverError(code, "text");
    const row: { kind: keyof typeof ERROR_STATUS; maskable?: true; retry?: true } = ERROR_CODES[code];
    assert.equal(
      [error.name, error.message, error.code, error.kind, error.status, error.maskable, error.retry],
      ["DriverError", "text", code, row.kind, ERROR_STATUS[row.kind], row.maskable === true, row.retry === true],
    );
    assert.ok(error instanceof Error);
    assert.is(Object.hasOwn(error, "cause"), false);
  }
});

test("an error carries its details", () => {
  const cause = new Error("inner");
  const details = { plugin: "p", driver: "d", method: "join", file: "a.ts", line: 3, pluginStack: "at x", cause };
  const error = new DriverError("ERR_DRIVER_FAILED", "text", { ...details, kind: "Forbidden" });
  for (const [key, value] of Object.entries(details)) assert.is(Reflect.get(error, key), value, key);
  assert.equal([error.kind, error.status], ["Forbidden", 403], "the driver's own kind");
});

test("its JSON is for logs: plain, without cause and stacks", () => {
  const error = new DriverError("ERR_ENDPOINT_NOT_JOINED", "text", { plugin: "p", line: 3, cause: new Error("inner") });
  assert.equal(JSON.parse(JSON.stringify(error)), {
    code: "ERR_ENDPOINT_NOT_JOINED",
    kind: "Forbidden",
    status: 403,
    message: "text",
    maskable: true,
    retry: false,
    plugin: "p",
    line: 3,
  });
});

test("codes and kinds are known by own name only", () => {
  assert.ok(isErrorCode("ERR_BAD_ID"));
  assert.ok(isErrorKind("NotFound"));
  for (const value of ["toString", "__proto__", "ERR_NOPE", "", 0, null, undefined, {}, ["ERR_BAD_ID"]]) {
    assert.not(isErrorCode(value));
    assert.not(isErrorKind(value));
  }
});

test("a driver may throw the contract's codes, never the host's own words", () => {
  for (const code of ["ERR_BAD_ADDRESS", "ERR_NETWORK_NOT_FOUND", "ERR_ENDPOINT_NOT_JOINED"] as const) {
    assert.ok(isDriverThrowable(code), code);
  }
  for (const code of ["ERR_DRIVER_TIMEOUT", "ERR_OUTCOME_UNKNOWN", "ERR_PLUGIN_UNAVAILABLE", "ERR_PROTOCOL"] as const) {
    assert.not(isDriverThrowable(code), code);
  }
});

test.run();

import { ERROR_CODES, type ErrorCode } from "#dist/driverapi/error-codes.js";
import {
  DriverError,
  ERROR_STATUS,
  type ErrorKind,
  isDriverThrowable,
  isErrorCode,
  isErrorKind,
} from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";

const test = suite("driverapi: errors");
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

test("every row has a kind, a sentence, and nothing that is not known", () => {
  assert.ok(codes.length > 0);
  const known = new Set(["kind", "when", "maskable", "retry", "driver", "killed"]);
  for (const code of codes) {
    const row: Record<string, unknown> = ERROR_CODES[code];
    assert.match(code, /^ERR(_[A-Z]+)+$/);
    assert.ok(isErrorKind(row.kind), code);
    assert.ok(typeof row.when === "string" && /^\S.*[^.\s]$/.test(row.when), `${code}: a phrase without a full stop`);
    for (const key of Object.keys(row)) assert.ok(known.has(key), `${code}: ${key}`);
    for (const flag of ["maskable", "retry", "driver", "killed"]) {
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

/** What callers may rely on, written down a second time: code, kind, markers. */
const FIXED: Readonly<Record<string, readonly [ErrorKind, ...("maskable" | "retry")[]]>> = {
  ERR_BAD_ID: ["BadRequest"],
  ERR_BAD_OPTIONS: ["BadRequest"],
  ERR_BAD_MAC: ["BadRequest"],
  ERR_BAD_ADDRESS: ["BadRequest"],
  ERR_ADDRESS_FAMILY: ["BadRequest"],
  ERR_INTERFACE_ID: ["BadRequest"],
  ERR_INTERFACE_EXISTS: ["Forbidden"],
  ERR_INTERFACES_GIVEN: ["Forbidden"],
  ERR_INTERFACE_NAME: ["BadRequest"],
  ERR_ROUTE_TYPE: ["BadRequest"],
  ERR_ROUTE_HOST_BITS: ["BadRequest"],
  ERR_ROUTE_INTERFACE: ["BadRequest"],
  ERR_ROUTE_NEXTHOP: ["BadRequest"],
  ERR_NETWORK_NOT_FOUND: ["NotFound"],
  ERR_ENDPOINT_NOT_FOUND: ["NotFound"],
  ERR_NETWORK_EXISTS: ["Forbidden"],
  ERR_ENDPOINT_EXISTS: ["Forbidden"],
  ERR_NETWORK_IN_USE: ["Forbidden"],
  ERR_ENDPOINT_IN_USE: ["Forbidden"],
  ERR_ENDPOINT_JOINED: ["Forbidden"],
  ERR_ENDPOINT_NOT_JOINED: ["Forbidden", "maskable"],
  ERR_DRIVER_REPLY: ["Internal"],
  ERR_DRIVER_TIMEOUT: ["Timeout"],
  ERR_DRIVER_BUSY: ["Timeout", "retry"],
  ERR_OUTCOME_UNKNOWN: ["Internal", "retry"],
  ERR_CALL_ABORTED: ["Timeout"],
  ERR_HOST_CLOSED: ["NoService"],
  ERR_DRIVER_NOT_FOUND: ["NotFound"],
  ERR_PLUGIN_UNAVAILABLE: ["NoService"],
  ERR_PLUGIN_IN_USE: ["Forbidden"],
};

test("kinds and markers that callers rely on are what they were", () => {
  for (const [code, [kind, ...markers]] of Object.entries(FIXED)) {
    const error = new DriverError(code as ErrorCode, "text");
    const has = (["maskable", "retry"] as const).filter((marker) => error[marker]);
    assert.equal([error.kind, ...has], [kind, ...markers], code);
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

test("a driver may throw the contract's codes and its powers', never the host's own words", () => {
  const powers = ["NETLINK", "FIREWALL", "RESOLVER", "TRAFFIC", "CLUSTER"].flatMap((one) => [
    `ERR_${one}_REFUSED`,
    `ERR_${one}_FAILED`,
  ]);
  const contract = Object.keys(FIXED).slice(0, Object.keys(FIXED).indexOf("ERR_DRIVER_REPLY"));
  assert.equal(codes.filter(isDriverThrowable).sort(), [...contract, ...powers, "ERR_CLUSTER_UNKNOWN"].sort());
});

test.run();

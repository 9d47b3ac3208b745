/**
 * Plain JSON out of anything (`copyJson`, `parseOptions`), and what was parsed within its bounds (`boundJson`). An input is JSON in which `{"$": NAME}` stands for what JSON cannot say:
 * getters, proxies, functions, instances, cycles. `JsonError` is `copyJson`'s documented throw, `DriverError` that of `parseOptions`.
 */
import { DriverError } from "#dist/driverapi/errors.js";
import { boundJson, copyJson, type Json, JsonError, parseOptions } from "#dist/driverapi/json.js";
import { optionsText } from "#dist/driverapi/options-text.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { strangeTexts } from "../corpus.js";
import { strangeText } from "../generators/replies.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

const BOUNDS = { depth: LIMITS.jsonDepth, nodes: 4096, chars: 65_536 };

/** Set by whatever is called that must not be. */
let called = "";

const trap = (what: string) => (): never => {
  called = what;
  throw new TypeError(what);
};

/** What JSON cannot say; `rest` is the marker's own `of`. */
const STRANGE: Readonly<Record<string, (rest: unknown) => unknown>> = {
  getter: () => Object.defineProperty({}, "x", { get: trap("a getter"), enumerable: true }),
  hiddenGetter: () => Object.defineProperty({}, "x", { get: trap("a hidden getter") }),
  setter: () => Object.defineProperty({}, "x", { set: trap("a setter"), enumerable: true }),
  hidden: (rest) => Object.defineProperty({ shown: 1 }, "x", { value: rest }),
  toJSON: () => ({ toJSON: trap("toJSON") }),
  hiddenToJSON: () => Object.defineProperty({}, "toJSON", { value: trap("a hidden toJSON") }),
  function: () => trap("a function"),
  symbol: () => Symbol("x"),
  symbolKey: (rest) => ({ [Symbol("x")]: rest }),
  bigint: () => 1n,
  nan: () => Number.NaN,
  infinity: () => Number.NEGATIVE_INFINITY,
  zero: () => -0,
  undefined: () => undefined,
  date: () => new Date(0),
  map: () => new Map(),
  nullProto: (rest) => Object.assign(Object.create(null), { x: rest }) as unknown,
  proto: () => JSON.parse('{"__proto__":1}') as unknown,
  holes: (rest) => Object.assign(new Array(3), { 0: rest, 2: rest }),
  cycle: () => {
    const cycle: Record<string, unknown> = {};
    cycle.cycle = cycle;
    return cycle;
  },
  proxy: (rest) => new Proxy(typeof rest === "object" && rest !== null ? rest : {}, {}),
  throws: () => new Proxy({}, { ownKeys: () => thrown(new Proxy({}, { get: trap("a thrown proxy's property") })) }),
  proto2: () => new Proxy({}, { getPrototypeOf: () => thrown(new DriverError("ERR_HOST_CLOSED", "forged")) }),
  longList: () =>
    new Proxy([], {
      getOwnPropertyDescriptor: (list, key) =>
        key === "length" ? forged(2 ** 32 - 1) : Reflect.getOwnPropertyDescriptor(list, key),
    }),
  manyKeys: () => new Proxy({}, { ownKeys: () => Array.from({ length: BOUNDS.nodes + 1 }, (_, i) => `k${i}`) }),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

function forged(length: number): PropertyDescriptor {
  return { value: length, writable: true, enumerable: false, configurable: false };
}

function thrown(value: unknown): never {
  throw value;
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "$")) return value;
  const { $: name, of } = value as { $: unknown; of?: unknown };
  return typeof name === "string" && Object.hasOwn(STRANGE, name) ? STRANGE[name]?.(of) : value;
}

function run(input: unknown): Outcome {
  const text = String(input);
  let value: unknown;
  try {
    value = JSON.parse(text, revive);
  } catch {
    return { reach: "unread" };
  }
  called = "";
  let reach: Outcome["reach"] = "refused";
  try {
    const copy = copyJson(value, BOUNDS);
    const once = JSON.stringify(copy);
    must(JSON.stringify(copyJson(copy, BOUNDS)) === once, "a copy of a copy differs");
    if (!text.includes('"$"')) must(once === JSON.stringify(value), "a copy of plain JSON differs");
    reach = "accepted";
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    mustBeLine(error.message, 512);
  }
  try {
    const once = JSON.stringify(parseOptions(value, BOUNDS));
    must(optionsText(value, BOUNDS) === once, "the text of options is not that of their copy");
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== "ERR_BAD_OPTIONS") throw error;
  }
  for (const reserved of [false, true]) {
    try {
      const options = parseOptions(value, BOUNDS, reserved);
      must(reserved || !Object.keys(options).some((key) => key.startsWith("bulkhead.")), "a reserved key was taken");
    } catch (error) {
      if (!(error instanceof DriverError) || error.code !== "ERR_BAD_OPTIONS") throw error;
      mustBeLine(error.message, 512);
    }
  }
  must(called === "", `${called} was called`);
  const parsed = JSON.parse(text) as Json;
  const refused = (check: (value: Json, limits: typeof BOUNDS) => unknown): string | undefined => {
    try {
      check(parsed, BOUNDS);
      return undefined;
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      return error.message;
    }
  };
  must(refused(boundJson) === refused(copyJson), "what is parsed is refused by its copy alone, or by its bounds alone");
  return { reach };
}

export const json: Target = {
  name: "plain JSON",
  corpus: strangeTexts(Object.keys(STRANGE)),
  most: 131_072,
  files: [{ file: "driverapi/json.js" }, { file: "common/quote.js" }],
  once: [
    `[${"0,".repeat(BOUNDS.nodes)}0]`,
    `{"a":"${"x".repeat(BOUNDS.chars)}"}`,
    `${'{"a long name of a member":'.repeat(20)}{"$":"nan"}${"}".repeat(20)}`,
  ],
  generated: strangeText(Object.keys(STRANGE)),
  run,
};

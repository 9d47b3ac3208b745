/** `store`, in the worker: every call of `powers.store` is one request to the host half. */
import type { Json } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { StoreLimits } from "../catalogue.js";
import type { Endowment, HostPort } from "../permission.js";
import { plainJson } from "../plain-json.js";
import { kindOf, overLimit, wrongArgument } from "../refusal.js";
import { keyProblem } from "./key.js";

/**
 * `powers.store`: `get(key)` → the value or null, `set(key, json)`, `delete(key)` → whether it was there, `keys(prefix?)` → sorted
 * list, `compareAndSet(key, expected, json)` → whether it was set. All are async and reject with `ERR_PERMISSION_ARGUMENT`,
 * `ERR_PERMISSION_LIMIT` or `ERR_PERMISSION_FAILED`. `createStorePower` describes quota and equality.
 */
export function endow(_limits: StoreLimits, port: HostPort): Endowment {
  const checkedKey = (method: string, key: unknown): string => {
    const problem = keyProblem(key);
    if (problem === undefined && typeof key === "string") return key;
    throw wrongArgument(`store.${method}: the key ${problem}`);
  };
  return {
    power: {
      get: async (key: unknown): Promise<Json> => port.request("store.get", [checkedKey("get", key)]),
      set: async (key: unknown, json: unknown): Promise<void> => {
        await port.request("store.set", [checkedKey("set", key), plain("set", "value", json)]);
      },
      delete: async (key: unknown): Promise<boolean> =>
        (await port.request("store.delete", [checkedKey("delete", key)])) === true,
      keys: async (prefix: unknown = ""): Promise<Json> => {
        if (typeof prefix !== "string")
          throw wrongArgument(`store.keys: the prefix must be a string, not ${kindOf(prefix)}`);
        // No key is longer. Slicing a long text may take its whole length in memory.
        if (prefix.length > LIMITS.storeKeyBytes) return [];
        return port.request("store.keys", [prefix]);
      },
      compareAndSet: async (key: unknown, expected: unknown, json: unknown): Promise<boolean> =>
        (await port.request("store.compareAndSet", [
          checkedKey("compareAndSet", key),
          expected === undefined ? null : plain("compareAndSet", "expected value", expected),
          plain("compareAndSet", "value", json),
        ])) === true,
    },
  };
}

/** Longest JSON text of one value, in UTF-16 units: a request with two of them fits in one frame. */
const VALUE_CHARS = LIMITS.frameChars / 4;

/** Copies a plugin's value as JSON, so that what is sent is what was checked, and fits in a frame. */
function plain(method: string, what: string, value: unknown): Json {
  const copy = plainJson(`store.${method}: the ${what}`, value, { depth: LIMITS.jsonDepth, chars: VALUE_CHARS });
  const { length } = JSON.stringify(copy);
  if (length > VALUE_CHARS) {
    throw overLimit(`store.${method}: the ${what} has ${length} characters of JSON; at most ${VALUE_CHARS} are taken`);
  }
  return copy;
}

/** `store`, on the host's side: quota and order of a plugin's operations, over any backend. */
import { Mutex } from "../../common/mutex.js";
import { DriverError, type ErrorCode } from "../../driverapi/errors.js";
import { copyJson, type Json } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { StoreLimits } from "../catalogue.js";
import type { HostTime } from "../host-time.js";
import type { HostPower, PowerMethod } from "../permission.js";
import type { StoreBackend } from "./backend.js";
import { canonicalJson } from "./canonical.js";
import { keyProblem } from "./key.js";
import { type Namespace, namespaceOf, sizeOf } from "./namespace.js";

/** Codes that are about the request itself. */
const OWN: ReadonlySet<string> = new Set<ErrorCode>(["ERR_PERMISSION_ARGUMENT", "ERR_PERMISSION_LIMIT"]);

/** What `createStorePower` needs. */
export interface StorePowerOptions {
  /** The plugin's id, which names its namespace and appears in errors. */
  readonly plugin: string;
  readonly limits: StoreLimits;
  readonly backend: StoreBackend;
  /** Charged for the main-thread time of its operations. */
  readonly time: HostTime;
}

/**
 * Serves `store.get [key]` (the value, or null), `store.set [key, json]`, `store.delete [key]` (whether it was there),
 * `store.keys [prefix?]` (sorted by code unit) and `store.compareAndSet [key, expected, json]` (whether it was set).
 *
 * Operations on one plugin's store run one at a time, FIFO. A value counts with the UTF-8 bytes of its key and its JSON text; a write
 * over `limits.bytes` or `limits.keys` is refused with `ERR_PERMISSION_LIMIT`, unless it makes an overfull store smaller. A missing
 * key and a stored null are equal. Wrong arguments: `ERR_PERMISSION_ARGUMENT`; a backend that fails: `ERR_PERMISSION_FAILED`, with its
 * message in `cause` only.
 */
export function createStorePower({ plugin, limits, backend, time }: StorePowerOptions): HostPower {
  const exclusive = namespaceOf(backend, plugin);
  /** Operations wait for their plugin's host time here, not in the namespace, which another version may share. */
  const mutex = new Mutex();
  let closed = false;

  const inTurn = (work: (namespace: Namespace) => Promise<Json>): Promise<Json> =>
    mutex.run(async () => {
      // Operations that need not wait are done even after the plugin is gone.
      await time.free(() => closed);
      if (time.wait > 0 && closed)
        throw new DriverError("ERR_PLUGIN_STOPPED", `the store of plugin "${plugin}" is closed`, { plugin });
      return exclusive(work);
    });

  const checkedKey = (method: string, key: Json | undefined): string => {
    const problem = keyProblem(key);
    if (problem === undefined && typeof key === "string") return key;
    throw new DriverError("ERR_PERMISSION_ARGUMENT", `store.${method}: the key ${problem}`, { plugin });
  };

  const checkedValue = (method: string, what: string, value: Json | undefined): Json => {
    try {
      return copyJson(value, { depth: LIMITS.jsonDepth, nodes: LIMITS.jsonNodes });
    } catch (cause) {
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      throw new DriverError("ERR_PERMISSION_ARGUMENT", `store.${method}: the ${what} must be plain JSON${why}`, {
        plugin,
        cause,
      });
    }
  };

  const run = async (method: string, work: (namespace: Namespace) => Promise<Json>): Promise<Json> => {
    try {
      return await inTurn(work);
    } catch (cause) {
      // Errors of the data folder name its path, which is nothing for a plugin.
      if (cause instanceof DriverError && OWN.has(cause.code)) throw cause;
      throw new DriverError(
        "ERR_PERMISSION_FAILED",
        `store.${method}: the store failed on the host's side; try again later`,
        {
          plugin,
          cause,
        },
      );
    }
  };

  const write = async (namespace: Namespace, key: string, value: Json): Promise<void> => {
    const text = time.charge(() => JSON.stringify(value));
    const before = namespace.sizes.get(key);
    const size = sizeOf(key, text);
    const total = namespace.total - (before ?? 0) + size;
    const refuse = (problem: string): DriverError =>
      new DriverError(
        "ERR_PERMISSION_LIMIT",
        `the store of plugin "${plugin}" ${problem}; delete some, or have grant.store raised`,
        { plugin },
      );
    if (before === undefined && namespace.sizes.size >= limits.keys) {
      throw refuse(`holds ${namespace.sizes.size} keys of ${limits.keys}`);
    }
    if (total > limits.bytes && total >= namespace.total) throw refuse(`would hold ${total} bytes of ${limits.bytes}`);
    await namespace.set(key, text);
  };

  const methods: Record<string, PowerMethod> = {
    "store.get": ([given]) => {
      const key = checkedKey("get", given);
      return run("get", async (namespace) => {
        const text = await namespace.get(key);
        return time.charge(() => parsed(text));
      });
    },
    "store.set": ([given, json]) => {
      const key = checkedKey("set", given);
      const value = checkedValue("set", "value", json);
      return run("set", async (namespace) => {
        await write(namespace, key, value);
        return null;
      });
    },
    "store.delete": ([given]) => {
      const key = checkedKey("delete", given);
      return run("delete", async (namespace) => {
        const there = namespace.sizes.has(key);
        if (there) await namespace.delete(key);
        return there;
      });
    },
    "store.keys": ([prefix = ""]) => {
      if (prefix !== null && typeof prefix !== "string") {
        throw new DriverError("ERR_PERMISSION_ARGUMENT", "store.keys: the prefix must be a string", { plugin });
      }
      return run("keys", async ({ sizes }) =>
        time.charge(() => [...sizes.keys()].filter((key) => key.startsWith(prefix ?? "")).sort()),
      );
    },
    "store.compareAndSet": ([given, expected, json]) => {
      const key = checkedKey("compareAndSet", given);
      const wanted = canonicalJson(checkedValue("compareAndSet", "expected value", expected ?? null));
      const value = checkedValue("compareAndSet", "value", json);
      return run("compareAndSet", async (namespace) => {
        const text = await namespace.get(key);
        if (time.charge(() => canonicalJson(parsed(text))) !== wanted) return false;
        await write(namespace, key, value);
        return true;
      });
    },
  };
  return {
    methods: new Map(Object.entries(methods)),
    close() {
      closed = true;
    },
  };
}

function parsed(text: string | undefined): Json {
  return text === undefined ? null : (JSON.parse(text) as Json);
}

/** Checks `createPluginHost`'s options before anything is started. */
import { resolve } from "node:path";
import type { Logger } from "../common/logger.js";
import { DriverError } from "../driverapi/errors.js";
import { knownOptions } from "../driverapi/known-options.js";
import { ISOLATIONS, type Isolation } from "../isolation/link.js";
import { type ClusterOptions, clusterOptionsProblem } from "../permissions/cluster/options.js";
import type { Policy } from "../policy/schema.js";
import type { PlatformCallback } from "./context.js";

/** Options of `createPluginHost`. */
export interface PluginHostOptions {
  /** The plugins folder, or several. */
  readonly plugins: string | readonly string[];
  /** The policy: a path to `bulkhead.config.json`, or the object itself. Absent: only the harmless defaults are granted. */
  readonly policy?: string | Policy;
  /** The folder for state across runs and for the audit log; created (0700) if it does not exist. Absent: nothing is kept. */
  readonly dataDir?: string;
  /** Isolation of plugins whose policy names none. Default: "process". */
  readonly isolation?: Isolation;
  /** The platform's `DriverCallback`: told of each driver after the host's own checks; a throw refuses it. */
  readonly callback?: PlatformCallback;
  /**
   * pino-shaped. Lines that a plugin writes have `plugin` and `source: "plugin"` among their fields. Absent: warnings, errors and what
   * plugins write, as `[ID] …`, go to stderr.
   */
  readonly logger?: Logger;
  /** Closes the host when aborted. */
  readonly signal?: AbortSignal;
  /** Follow changes in the plugins folders and the policy's file. Default: false. */
  readonly watch?: boolean;
  /** The network namespace in which kernel permissions work: a name, or a path. Absent: the process's own. */
  readonly netns?: string;
  /** Works on the kernel, on an in-memory model, or with "auto" on the kernel where it can be used. Default: "auto". */
  readonly backend?: "kernel" | "model" | "auto";
  /**
   * The store that hosts share, for the permission `cluster`: `{ store: "etcd", endpoints: ["https://10.0.0.1:2379"], … }`, with
   * certificates as PEM text; `{ store: "local" }`, in the data folder of this host alone; or `{ store: "memory" }`, which ends with the
   * host. Absent: none, and requests for it fail; a model (`backend: "model"`) has one in memory.
   */
  readonly cluster?: ClusterOptions;
}

const KEYS = [
  "plugins",
  "policy",
  "dataDir",
  "isolation",
  "callback",
  "logger",
  "signal",
  "watch",
  "netns",
  "backend",
  "cluster",
] as const;

/** Throws `ERR_OPTIONS`, naming the option. */
export function checkOptions(options: unknown): PluginHostOptions {
  if (typeof options !== "object" || options === null) throw wrong("createPluginHost takes an object: { plugins, … }");
  knownOptions("", options, KEYS);
  const given = options as Record<string, unknown>;
  const check = (key: (typeof KEYS)[number], rule: string, holds: (value: unknown) => boolean): void => {
    if (given[key] !== undefined && !holds(given[key])) throw wrong(`option "${key}" must be ${rule}`);
  };
  const text = (value: unknown): boolean => typeof value === "string" && value.length > 0 && !value.includes("\0");
  if (given.plugins === undefined) throw wrong(`option "plugins" is missing: the folder that holds the plugins`);
  check(
    "plugins",
    "a path, or a list of paths",
    (value) => text(value) || (Array.isArray(value) && value.length > 0 && value.every(text)),
  );
  check(
    "policy",
    "a path, or the policy as an object",
    (value) => text(value) || (typeof value === "object" && value !== null),
  );
  check("dataDir", "a path", text);
  check("isolation", `one of ${ISOLATIONS.map((one) => `"${one}"`).join(", ")}`, (value) =>
    (ISOLATIONS as readonly unknown[]).includes(value),
  );
  check(
    "callback",
    "an object with a method registerDriver",
    (value) => typeof (value as PlatformCallback | null)?.registerDriver === "function",
  );
  check("logger", "pino-shaped: debug, info, warn and error", isLogger);
  check("signal", "an AbortSignal", (value) => value instanceof AbortSignal);
  check("watch", "true or false", (value) => typeof value === "boolean");
  check("netns", "a namespace's name or path", text);
  check(
    "backend",
    `"kernel", "model" or "auto"`,
    (value) => value === "kernel" || value === "model" || value === "auto",
  );
  const problem = given.cluster === undefined ? undefined : clusterOptionsProblem(given.cluster);
  if (problem !== undefined) throw wrong(`option "cluster": ${problem}`);
  const store = (given.cluster as ClusterOptions | undefined)?.store;
  if (store === "local" && given.dataDir === undefined)
    throw wrong('option "cluster": the store "local" is kept in the data folder; name one with the option "dataDir"');
  return options as PluginHostOptions;
}

/** Returns the options with every path absolute: the platform may change its working directory while the host runs. */
export function withPaths(options: PluginHostOptions): PluginHostOptions & { readonly plugins: readonly string[] } {
  const { plugins, policy, dataDir } = options;
  return {
    ...options,
    plugins: (typeof plugins === "string" ? [plugins] : plugins).map((one) => resolve(one)),
    ...(typeof policy === "string" ? { policy: resolve(policy) } : {}),
    ...(dataDir === undefined ? {} : { dataDir: resolve(dataDir) }),
  };
}

function isLogger(value: unknown): boolean {
  return (["debug", "info", "warn", "error"] as const).every(
    (level) => typeof (value as Logger | null)?.[level] === "function",
  );
}

function wrong(message: string): DriverError {
  return new DriverError("ERR_OPTIONS", message);
}

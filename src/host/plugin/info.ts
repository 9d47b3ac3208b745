/** What a platform and an operator see of a plugin. */
import type { DriverError } from "../../driverapi/errors.js";
import type { Counters } from "../calls/conductor.js";
import type { Isolation } from "../manifest/schema.js";
import type { Effective } from "../policy/effective.js";

/** `restarting`: calls wait; `unavailable`: the breaker is open; `orphaned`: its file is gone, its networks are not. */
export type PluginState =
  | "loading"
  | "awaiting-grant"
  | "running"
  | "restarting"
  | "unavailable"
  | "refused"
  | "orphaned"
  | "stopped";

/** A row of `host.plugins()`. */
export interface PluginInfo {
  readonly name: string;
  readonly version: string | undefined;
  readonly state: PluginState;
  /** Network types it serves. */
  readonly drivers: readonly string[];
  readonly isolation: Isolation | undefined;
  /** What it may do: scope, and permissions with their limits. */
  readonly grant: { readonly scope: string; readonly permissions: Effective["permissions"] } | undefined;
  /** Of the files that run. */
  readonly sha256: string | undefined;
  /** Why it is refused, unavailable, or waits for its grant; with `file` and `line` where the author's code is at fault. */
  readonly refusal?: DriverError;
  readonly counters: Readonly<Counters>;
}

/** What a platform and an operator see of a plugin. */
import type { DriverError } from "../../driverapi/errors.js";
import type { Isolation } from "../../isolation/link.js";
import type { WallName } from "../../isolation/walls/wall.js";
import type { Effective } from "../../policy/effective.js";
import type { Counters } from "../calls/call-context.js";
import type { Latency } from "./usage.js";

/**
 * `restarting`: calls wait; `unavailable`: the breaker is open; `orphaned`: its file is gone, but its networks remain;
 * `quarantined`: an operator has ended it, and its calls are refused.
 */
export type PluginState =
  | "loading"
  | "awaiting-grant"
  | "running"
  | "restarting"
  | "unavailable"
  | "refused"
  | "orphaned"
  | "stopped"
  | "quarantined";

/** A row of `host.plugins()`. */
export interface PluginInfo {
  readonly name: string;
  readonly version: string | undefined;
  readonly state: PluginState;
  /** When that state began, in milliseconds since 1970. */
  readonly since: number;
  /** Network types it serves. */
  readonly drivers: readonly string[];
  /** Those of them whose driver has `programExternalConnectivity` and `revokeExternalConnectivity`. */
  readonly external: readonly string[];
  /** Where its worker runs; "dedicated" also for a plugin moved out of a shared process that ended too often. */
  readonly isolation: Isolation | undefined;
  /** The wall around its host process; undefined under isolation "thread", and while it has no worker. */
  readonly wall: WallName | undefined;
  /** PID of its host process; undefined under isolation "thread", and while it has no worker. */
  readonly pid: number | undefined;
  /** What it may do: scope, and permissions with their limits; undefined if it waits for its grant, is refused, or has lost its grant. */
  readonly grant: { readonly scope: string; readonly permissions: Effective["permissions"] } | undefined;
  /** Digest of the files that run, or ran last. */
  readonly sha256: string | undefined;
  /** Why it is refused, unavailable, or awaiting its grant; with `file` and `line` where the author's code is at fault. */
  readonly refusal?: DriverError;
  readonly counters: PluginCounters;
}

export interface PluginCounters extends Readonly<Counters> {
  /** How long its drivers took to reply. */
  readonly latency: Latency;
  /**
   * CPU time of its workers so far, in milliseconds, up to two seconds old. In a process of its own it is the process's, as the kernel
   * counts it; otherwise how long its event loop was busy.
   */
  readonly cpuMs: number;
  /** Resident memory of its host process in MiB, other plugins in it included; undefined where `pid` is, and until it has been read. */
  readonly memoryMb: number | undefined;
}

/** What the control API says of the state that hosts share. */
import type { JsonObject } from "../driverapi/json.js";

export interface ClusterStatus {
  readonly store: ClusterStore;
  /** Those that are granted `cluster` now. */
  readonly plugins: readonly ClusterPlugin[];
}

/** The operator's store. Its credentials are not part of it. */
export interface ClusterStore {
  /** null: the host has none, and every request fails. */
  readonly kind: "etcd" | "local" | "memory" | null;
  readonly endpoints: readonly string[];
  /** The beginning of all keys. */
  readonly prefix: string;
  /** Whether it answered the last request; null: there was none. */
  readonly answers: boolean | null;
  readonly failingSince: string | null;
  /** Why the last request failed. */
  readonly problem: string | null;
  readonly requests: number;
  readonly failures: number;
}

/** What a plugin uses of its grant. `used` null: it cannot be read, and `problem` says why. */
export interface ClusterPlugin {
  readonly plugin: string;
  readonly keys: { readonly used: number | null; readonly granted: number };
  readonly bytes: { readonly used: number | null; readonly granted: number };
  readonly problem: string | null;
  /** On this host, as everything that follows. */
  readonly watches: readonly ClusterWatch[];
  readonly watchesGranted: number;
  /** Keys below `alive/`. */
  readonly leases: readonly string[];
  /** Answered requests by code, `ok` for success. */
  readonly requests: Readonly<Record<string, number>>;
  /** How often a watch became stale. */
  readonly stale: number;
}

export interface ClusterWatch {
  readonly prefix: string;
  /** The last revision told; null: none yet. */
  readonly revision: number | null;
  /** How long ago it was last proven that it missed nothing, in milliseconds. */
  readonly provenMs: number;
  readonly stale: boolean;
}

/** A holder of a plugin's lease, or a host that is fenced. */
export interface ClusterHost {
  readonly plugin: string;
  /** The lease's name; of a fence without a lease, what was fenced. */
  readonly host: string;
  /** Distinguishes holders of one name; null: nobody holds a lease. */
  readonly holder: string | null;
  /** True if the holder is this host. */
  readonly here: boolean;
  /** What the holder says of itself, if it is an object. */
  readonly value: JsonObject | null;
  readonly fence: ClusterFence | null;
}

/** An operator's statement that a host is gone. null: the key does not say. */
export interface ClusterFence {
  readonly since: string | null;
  readonly reason: string | null;
}

/** States that a host is gone, or with `undo` that it is not. */
export interface FenceRequest {
  /** Only for this plugin; absent: for all that are granted `cluster`. */
  readonly plugin?: string | undefined;
  readonly reason?: string | undefined;
  /** Also if the host is alive. */
  readonly force?: boolean | undefined;
  readonly undo?: boolean | undefined;
}

export interface FenceReply {
  readonly host: string;
  readonly plugins: readonly PluginFence[];
}

export interface PluginFence {
  readonly plugin: string;
  /** False: it was so before. */
  readonly changed: boolean;
  /** null: the host is not fenced. */
  readonly fence: ClusterFence | null;
}

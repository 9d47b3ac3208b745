/** The shapes of what the control API says of the state that hosts share, and takes. */
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import { REASON_CHARS } from "../permissions/cluster/fence.js";
import type {
  ClusterFence,
  ClusterHost,
  ClusterPlugin,
  ClusterStatus,
  ClusterStore,
  FenceReply,
  FenceRequest,
} from "./cluster-types.js";

const text = z.string();
const count = z.int().min(0);
const used = z.object({ used: count.nullable(), granted: count });

const store: z.ZodType<ClusterStore> = z.object({
  kind: z.enum(["etcd", "local", "memory"]).nullable(),
  endpoints: z.array(text),
  prefix: text,
  answers: z.boolean().nullable(),
  failingSince: z.iso.datetime().nullable(),
  problem: text.nullable(),
  requests: count,
  failures: count,
});

const plugin: z.ZodType<ClusterPlugin> = z.object({
  plugin: text,
  keys: used,
  bytes: used,
  problem: text.nullable(),
  watches: z.array(z.object({ prefix: text, revision: count.nullable(), provenMs: count, stale: z.boolean() })),
  watchesGranted: count,
  leases: z.array(text),
  requests: z.record(z.string(), count),
  stale: count,
});

const fence: z.ZodType<ClusterFence> = z.object({ since: z.iso.datetime().nullable(), reason: text.nullable() });

export const clusterStatus: z.ZodType<ClusterStatus> = z.object({ store, plugins: z.array(plugin) });

export const clusterHost: z.ZodType<ClusterHost> = z.object({
  ...{ plugin: text, host: text, holder: text.nullable(), here: z.boolean() },
  value: (z.record(z.string(), z.json()) as z.ZodType<JsonObject>).nullable(),
  fence: fence.nullable(),
});

export const fenceReply: z.ZodType<FenceReply> = z.object({
  host: text,
  plugins: z.array(z.object({ plugin: text, changed: z.boolean(), fence: fence.nullable() })),
});

/** The body of `fence`. */
export const fenceRequest: z.ZodType<FenceRequest> = z
  .strictObject({
    plugin: z.string().min(1).max(256).optional(),
    reason: z.string().min(1).max(REASON_CHARS).optional(),
    force: z.boolean().optional(),
    undo: z.boolean().optional(),
  })
  .refine(
    ({ undo, reason, force }) => !undo || (reason === undefined && !force),
    "undo takes neither a reason nor force",
  );

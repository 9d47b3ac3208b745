/** The limits of a `cluster` grant in a manifest or a policy. */
import { z } from "../../common/zod.js";

/** `cluster`: state shared by the hosts that run the plugin. */
export type ClusterLimits = {
  /** Bytes of all keys and values together, over all hosts. */
  readonly bytes: number;
  /** Keys, over all hosts. */
  readonly keys: number;
  /** Watches at a time, on each host. */
  readonly watches: number;
  /** Requests a second, on each host; each 4,096 bytes of a value count as one more. */
  readonly requestsPerSecond: number;
};

/** Schema of the limits. Each is optional. */
export const clusterLimits: z.ZodObject = z.strictObject({
  bytes: z.exactOptional(z.int().min(1).max(8_388_608)),
  keys: z.exactOptional(z.int().min(1).max(65_536)),
  watches: z.exactOptional(z.int().min(1).max(16)),
  requestsPerSecond: z.exactOptional(z.int().min(1).max(10_000)),
});

/** Defaults where neither side names a limit. */
export const clusterDefaults = { bytes: 1_048_576, keys: 4_096, watches: 4, requestsPerSecond: 100 } as const;

/** All the parsers that are fuzzed. To be loaded after coverage has begun. */
import type { Target } from "./target.js";
import { clusterReplies, clusterRequests } from "./targets/cluster.js";
import { manifests, policies } from "./targets/documents.js";
import { frames } from "./targets/frames.js";
import { json } from "./targets/json.js";
import { log } from "./targets/log.js";
import { cpuProfiles, heapProfiles } from "./targets/profiles.js";
import { recordings } from "./targets/recordings.js";
import { replies } from "./targets/replies.js";
import { session } from "./targets/session.js";
import { stream } from "./targets/stream.js";

export const TARGETS: readonly Target[] = [
  ...[frames, session, replies, json, manifests, policies, stream, log],
  ...[cpuProfiles, heapProfiles, recordings, clusterRequests, clusterReplies],
];

/**
 * The rules of cluster requests, each against an attack that would work without it (README.md here). `keys` and `bytes` depend on what
 * all hosts have written, so they are checked where a write is prepared (`space.ts`), and so is a fenced host's lease (`leases.ts`); the
 * others are checked before a request is begun.
 */

import { quote } from "../../common/quote.js";
import { applyRules, type PermissionRule } from "../rule.js";
import { refused } from "./errors.js";
import { FENCED } from "./fence.js";
import type { ClusterLimits } from "./grant.js";
import { CLUSTER } from "./limits.js";
import type { ClusterRequest } from "./request.js";

/** The beginning of the keys of leases. */
export const ALIVE = "alive/";

/** What a check may use. */
export interface Situation {
  readonly plugin: string;
  readonly limits: ClusterLimits;
  /** Numbers of the watches of the worker that asks. */
  readonly watching: ReadonlySet<number>;
  /** Leases of the plugin on this host, by name. */
  readonly leases: ReadonlySet<string>;
  /** The keys of those leases. */
  readonly aliveKeys: ReadonlySet<string>;
  /** Spends requests of this second; returns false if there are not enough left. */
  spend(requests: number): boolean;
}

/** One rule. */
export type Rule = PermissionRule<[request: ClusterRequest, situation: Situation]>;

const WRITTEN = /^[A-Za-z0-9._:@%+=,~-]+(?:\/[A-Za-z0-9._:@%+=,~-]+)*$/;
const BEGUN = /^[A-Za-z0-9._:@%+=,~/-]*$/;
const NAME = /^[A-Za-z0-9._:@%+=,~-]{1,64}$/;
const WORKER = /^[a-z0-9-]{1,64}$/;

/** Every rule. */
export const RULES: readonly Rule[] = [
  { id: "fields", refuses: "a field that does not exist: `lease`, `endpoint`", check: () => undefined },
  { id: "shape", refuses: "a field that is missing or of the wrong type", check: () => undefined },
  {
    id: "rate",
    refuses: "more requests a second than granted, where a large value counts as several",
    check(request, { limits, spend }) {
      const bytes = "text" in request ? Buffer.byteLength(request.text) : 0;
      const requests = 1 + Math.floor(bytes / CLUSTER.bytesPerRequest);
      if (request.op === "unwatch" || spend(requests)) return undefined;
      return `more than ${limits.requestsPerSecond} requests a second; wait, then ask again`;
    },
  },
  {
    id: "key",
    refuses: "a key, prefix or name of other characters, such as `..` between slashes or a null, or too long",
    check(request) {
      const [text, form] = keyOf(request);
      if (text === undefined) return undefined;
      if (text.length > CLUSTER.keyBytes) return `${quote(text)} has more than ${CLUSTER.keyBytes} characters`;
      const parts = text.split("/");
      if (form.test(text) && !parts.includes(".") && !parts.includes("..")) return undefined;
      return `${quote(text)} must have letters, digits and . _ : @ % + = , ~ - alone, in parts separated by /`;
    },
  },
  {
    id: "worker",
    refuses: "a worker's mark, or a number of a watch, of another form, or in use",
    check(request, { watching }) {
      if ("worker" in request && !WORKER.test(request.worker)) return `${quote(request.worker)} is not a mark`;
      if (!("id" in request)) return undefined;
      if (!Number.isSafeInteger(request.id) || request.id < 0) return `${request.id} is not a number of a watch`;
      return request.op === "watch" && watching.has(request.id) ? `${request.id} is the number of a watch` : undefined;
    },
  },
  {
    id: "revision",
    refuses: "a revision that is not a whole number from 1 to 2^53 - 1",
    check(request) {
      const revision = "revision" in request ? request.revision : "from" in request ? request.from : undefined;
      if (revision === undefined || (Number.isSafeInteger(revision) && revision >= 1)) return undefined;
      return `${quote(revision)} is not a revision`;
    },
  },
  {
    id: "value",
    refuses: "a value that is too large",
    check(request) {
      if (!("text" in request)) return undefined;
      const most = request.op === "lease" ? CLUSTER.leaseValueBytes : CLUSTER.valueBytes;
      const bytes = Buffer.byteLength(request.text);
      return bytes <= most ? undefined : `the value has ${bytes} bytes of JSON, and may have ${most}`;
    },
  },
  {
    id: "alive",
    refuses: "writing a lease's key, other than ending one's own: what has lapsed would seem to be free",
    check(request, { aliveKeys }) {
      if (request.op !== "create" && request.op !== "compareAndSet" && request.op !== "delete") return undefined;
      if (!request.key.startsWith(ALIVE) && request.key !== ALIVE.slice(0, -1)) return undefined;
      if (request.op === "delete" && aliveKeys.has(request.key)) return undefined;
      return `${quote(request.key)} is written by cluster.lease alone, and ended by its holder`;
    },
  },
  {
    id: "fenced",
    refuses: "writing below `fenced/`, where the operator says which hosts are gone; and a lease for a fenced host",
    check(request) {
      if (request.op !== "create" && request.op !== "compareAndSet" && request.op !== "delete") return undefined;
      if (!request.key.startsWith(FENCED) && request.key !== FENCED.slice(0, -1)) return undefined;
      return `${quote(request.key)} is written by the operator alone: bulkhead cluster fence`;
    },
  },
  {
    id: "leases",
    refuses: "more leases on one host than allowed",
    check(request, { leases }) {
      if (request.op !== "lease" || leases.has(request.name) || leases.size < CLUSTER.leases) return undefined;
      return `the plugin has ${leases.size} leases on this host, and may have ${CLUSTER.leases}`;
    },
  },
  {
    id: "watches",
    refuses: "more watches than granted",
    check(request, { watching, limits: { watches } }) {
      if (request.op !== "watch" || watching.size < watches) return undefined;
      return `the plugin has ${watching.size} watches, and is granted ${watches}`;
    },
  },
  { id: "keys", refuses: "more keys than granted, over all hosts", check: () => undefined },
  { id: "bytes", refuses: "more bytes of keys and values than granted, over all hosts", check: () => undefined },
];

/** True for what may name a host: a lease, or a fence. */
export function isHostName(text: string): boolean {
  return NAME.test(text) && text !== "." && text !== "..";
}

function keyOf(request: ClusterRequest): readonly [string | undefined, RegExp] {
  if ("key" in request) return [request.key, WRITTEN];
  if ("prefix" in request) return [request.prefix, BEGUN];
  return request.op === "lease" ? [request.name, NAME] : [undefined, NAME];
}

/** Throws `ERR_CLUSTER_REFUSED`, naming the first rule that refuses. */
export function checkRules(request: ClusterRequest, situation: Situation): void {
  applyRules(RULES, [request, situation], (rule, why) => refused(situation.plugin, request.op, rule, why));
}

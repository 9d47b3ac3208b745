/**
 * What a plugin asks of `cluster`, and what a store replies: a request that is taken stays in the plugin's namespace, and a reply that is
 * not etcd's is refused with one line.
 */
import fc from "fast-check";
import { DriverError } from "#dist/driverapi/errors.js";
import type { Json } from "#dist/driverapi/json.js";
import { readAccount } from "#dist/permissions/cluster/account.js";
import { rangeOf, StoreError } from "#dist/permissions/cluster/backend.js";
import { storeErrorOf } from "#dist/permissions/cluster/etcd/failures.js";
import {
  clusterIdOf,
  readCommit,
  readLease,
  readRenewal,
  readSnapshot,
  readToken,
  readWatchMessage,
} from "#dist/permissions/cluster/etcd/wire.js";
import { clusterDefaults } from "#dist/permissions/cluster/grant.js";
import { CLUSTER_OPS, type ClusterOp, parseRequest } from "#dist/permissions/cluster/request.js";
import { checkRules } from "#dist/permissions/cluster/rules.js";
import { fields, mostly, poison } from "../generators/values.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

const ROOT = "bulkhead/keys/overlay/";
const SPACE = rangeOf(ROOT);

const key = fc.constantFrom(
  "a",
  "n/0f3a/e",
  "10.64.0.0/24",
  "fd64::1",
  "../x",
  "a//b",
  "alive/x/y",
  "",
  "a\0",
  "x".repeat(257),
);
const revision = fc.oneof(fc.integer({ min: -1, max: 99 }), fc.constantFrom(0.5, 2 ** 53, 1e300));
const value = fc.oneof(poison, fc.constantFrom<unknown>(null, "x".repeat(2_000), "x".repeat(40_000)));
const worker = fc.constantFrom("w", "../", "");
const request = fc.oneof(
  fc.tuple(fc.constant("get"), fields({ key })),
  fc.tuple(fc.constant("list"), fields({ prefix: key })),
  fc.tuple(fc.constant("create"), fields({ key, value })),
  fc.tuple(fc.constant("compareAndSet"), fields({ key, revision, value })),
  fc.tuple(fc.constant("delete"), fields({ key, revision })),
  fc.tuple(fc.constant("watch"), fields({ worker, id: revision, prefix: key, from: revision })),
  fc.tuple(fc.constant("unwatch"), fields({ worker, id: revision })),
  fc.tuple(fc.constant("lease"), fields({ worker, name: key, value })),
);
const REQUESTS = [
  ["get", { key: "a" }],
  ["list", { prefix: "n/" }],
  [
    "create",
    { key: "n/a", value: { a: [1, "b", { c: null, d: [true, 2.5] }], e: { f: "g", h: -1, i: [] }, j: [[{}], "k"] } },
  ],
  [
    "compareAndSet",
    {
      key: "n/a",
      revision: 7,
      value: [{ ip: "10.64.0.2/24", mac: "02:42:0a:40:00:02", peers: [1, 2, 3], up: true }, null],
    },
  ],
  ["delete", { key: "alive/mine/here" }],
  ["delete", { key: "a", revision: 7 }],
  ["watch", { worker: "w", id: 1, prefix: "", from: 7 }],
  ["unwatch", { worker: "w", id: 1 }],
  [
    "lease",
    { worker: "w", name: "other", value: { host: "h1", at: ["10.0.0.1", "fd00::1"], since: 1, more: { a: 1, b: 2 } } },
  ],
].map((one) => JSON.stringify(one));

/** Reads JSON text; undefined: it does not parse. */
function parsed(input: unknown): Json | undefined {
  try {
    return JSON.parse(String(input)) as Json;
  } catch {
    return undefined;
  }
}

function runRequest(input: unknown): Outcome {
  const asked = parsed(input);
  if (!Array.isArray(asked) || !CLUSTER_OPS.includes(asked[0])) return { reach: "unread" };
  try {
    const read = parseRequest("overlay", asked[0] as ClusterOp, asked.slice(1));
    checkRules(read, {
      plugin: "overlay",
      limits: clusterDefaults,
      watching: new Set([2]),
      leases: new Set(["mine"]),
      aliveKeys: new Set(["alive/mine/here"]),
      spend: (requests) => requests < 9,
    });
    const named = "key" in read ? read.key : "prefix" in read ? read.prefix : "";
    const { from, to } = rangeOf(ROOT + named);
    must(from >= SPACE.from && to <= SPACE.to, `${JSON.stringify(named)} leaves the namespace`);
    must(!named.split("/").includes(".."), "a way up");
    return { reach: "accepted" };
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    must(error.code === "ERR_CLUSTER_REFUSED", error.code);
    mustBeLine(error.message);
    return { reach: "refused" };
  }
}

const READERS: Readonly<Record<string, (reply: Json) => unknown>> = {
  snapshot: (reply) => {
    const { entries, count, revision: at } = readSnapshot(reply, { from: "a", to: "b" });
    must(
      entries.every((one) => one.key >= "a" && one.key < "b"),
      "a key outside the range",
    );
    must(Number.isSafeInteger(count) && Number.isSafeInteger(at) && at > 0, "a number that is none");
  },
  commit: readCommit,
  watch: (reply) => mustBeLine(readWatchMessage(reply, { from: "a", to: "b" }).words, 1_000),
  lease: readLease,
  renewal: readRenewal,
  token: readToken,
  id: clusterIdOf,
  account: (reply) => {
    const account = readAccount({ key: "k", text: JSON.stringify(reply), revision: 1 });
    must(account === undefined || (account.keys >= 0 && account.bytes >= 0), "a negative account");
  },
  failure: (reply) => {
    const { message } = storeErrorOf(400, JSON.stringify(reply), true);
    mustBeLine(message);
    storeErrorOf(400, `${JSON.stringify(reply)}}`, false);
  },
};

const digits = fc.constantFrom("1", "7", "9007199254740993", "-1", "");
const header = fields({ cluster_id: digits, revision: digits });
const kv = fields({
  key: fc.constantFrom("YQ==", "Yg==", "%"),
  value: fc.constantFrom("MQ==", "e30="),
  mod_revision: digits,
  create_revision: digits,
});
const reply = fc.oneof(
  fc.record({
    read: fc.constant("snapshot"),
    reply: fields({ header, kvs: mostly(fc.array(kv, { maxLength: 3 })), count: digits, more: fc.boolean() }),
  }),
  fc.record({ read: fc.constantFrom("commit", "id"), reply: fields({ header, succeeded: fc.boolean() }) }),
  fc.record({
    read: fc.constant("watch"),
    reply: fields({
      result: fields({
        ...{ header, canceled: fc.boolean(), compact_revision: digits, cancel_reason: fc.constantFrom("x", "a\nb") },
        events: mostly(fc.array(fields({ type: fc.constantFrom("PUT", "DELETE"), kv }), { maxLength: 3 })),
      }),
    }),
  }),
  fc.record({ read: fc.constant("lease"), reply: fields({ header, ID: digits, TTL: digits }) }),
  fc.record({ read: fc.constant("renewal"), reply: fields({ result: fields({ TTL: digits }) }) }),
  fc.record({ read: fc.constant("token"), reply: fields({ token: fc.constantFrom("abc.1", "a b") }) }),
  fc.record({ read: fc.constant("account"), reply: fields({ keys: revision, bytes: revision }) }),
  fc.record({
    read: fc.constant("failure"),
    reply: fields({ error: fc.constantFrom("no", "a\nb"), message: fc.constantFrom("no", "a\nb"), code: revision }),
  }),
);
const HEADER = { cluster_id: "1", member_id: "2", revision: "7", raft_term: "2" };
const KV = { key: "YQ==", create_revision: "3", mod_revision: "3", version: "1", value: "MQ==" };
const ANSWERS = [
  { read: "snapshot", reply: { header: HEADER, kvs: [KV], more: true, count: "2" } },
  { read: "snapshot", reply: { header: HEADER } },
  { read: "commit", reply: { header: HEADER, succeeded: true } },
  { read: "watch", reply: { result: { header: HEADER, created: true } } },
  {
    read: "watch",
    reply: {
      result: { header: HEADER, events: [{ kv: KV }, { type: "DELETE", kv: { key: "YQ==", mod_revision: "4" } }] },
    },
  },
  { read: "watch", reply: { result: { header: HEADER, canceled: true, compact_revision: "5" } } },
  { read: "watch", reply: { error: { grpc_code: 14, message: "no leader" } } },
  { read: "lease", reply: { header: HEADER, ID: "1353510016766605582", TTL: "2" } },
  { read: "renewal", reply: { result: { header: HEADER, ID: "12345", TTL: "15" } } },
  { read: "token", reply: { header: HEADER, token: "abc.12" } },
  { read: "id", reply: { header: HEADER } },
  { read: "account", reply: { keys: 1, bytes: 9 } },
  { read: "failure", reply: { error: "etcdserver: requested lease not found", code: 5 } },
  { read: "failure", reply: { error: "etcdserver: mvcc: required revision has been compacted", code: 11 } },
].map((one) => JSON.stringify(one));

function runReply(input: unknown): Outcome {
  const given = parsed(input) as { readonly read?: unknown; readonly reply?: Json } | null | undefined;
  const reader =
    typeof given?.read === "string" && Object.hasOwn(READERS, given.read) ? READERS[given.read] : undefined;
  if (!reader) return { reach: "unread" };
  try {
    reader(given?.reply ?? null);
    return { reach: "accepted" };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    must(error.unknown, "a reply that is not etcd's leaves a write open");
    mustBeLine(error.message);
    return { reach: "refused" };
  }
}

export const clusterRequests: Target = {
  name: "cluster request",
  corpus: REQUESTS,
  most: 50_000,
  files: [
    { file: "permissions/cluster/request.js" },
    { file: "permissions/request-fields.js", functions: ["readFields"] },
    { file: "permissions/cluster/rules.js" },
  ],
  generated: request.map((one) => JSON.stringify(one)),
  run: runRequest,
};

export const clusterReplies: Target = {
  name: "cluster reply",
  corpus: ANSWERS,
  most: 4_096,
  files: [
    {
      file: "permissions/cluster/etcd/wire.js",
      functions: [
        "readSnapshot",
        "readCommit",
        "readWatchMessage",
        "readEntry",
        "readChange",
        "intOf",
        "listOf",
        "objectOf",
      ],
    },
    { file: "permissions/cluster/etcd/failures.js" },
    { file: "permissions/cluster/account.js" },
  ],
  generated: reply.map((one) => JSON.stringify(one)),
  run: runReply,
};

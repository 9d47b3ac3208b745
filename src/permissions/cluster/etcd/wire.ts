/**
 * etcd's JSON gateway, as far as it is used. Numbers of 64 bits are strings, bytes are base64, and every zero value is absent
 * (../README.md); unknown fields are ignored, so all requests are built in this file.
 */
import { escapeLine } from "../../../common/escape.js";
import { isJsonObject, type Json, type JsonObject } from "../../../driverapi/json.js";
import {
  type Change,
  type Commit,
  type Guard,
  type KeyRange,
  type ReadOptions,
  type Snapshot,
  type StoreEntry,
  StoreError,
  type StoreWrite,
} from "../backend.js";

/** Longest piece of etcd's words that is shown. */
const WORDS = 200;

export function rangeRequest({ from, to }: KeyRange, { at, after, limit, names }: ReadOptions): JsonObject {
  return {
    key: encode(from),
    range_end: encode(to),
    ...(at === undefined ? {} : { revision: String(at) }),
    ...(after === undefined ? {} : { min_mod_revision: String(after + 1) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
    ...(names === true ? { keys_only: true } : {}),
  };
}

export function transactionRequest(guards: readonly Guard[], writes: readonly StoreWrite[]): JsonObject {
  return {
    compare: guards.map(({ key, revision }) => ({
      key: encode(key),
      target: "MOD",
      result: "EQUAL",
      mod_revision: String(revision),
    })),
    success: writes.map(({ key, text, lease }) =>
      text === undefined
        ? { request_delete_range: { key: encode(key) } }
        : { request_put: { key: encode(key), value: encode(text), ...(lease === undefined ? {} : { lease }) } },
    ),
  };
}

export function watchRequest({ from, to }: KeyRange, revision: number): JsonObject {
  return { create_request: { key: encode(from), range_end: encode(to), start_revision: String(revision) } };
}

export function readSnapshot(reply: Json, range: KeyRange): Snapshot {
  const body = objectOf(reply);
  const entries = listOf(body.kvs).map((kv) => readEntry(kv));
  refuseForeign(entries, range);
  return { entries, count: intOf(body.count), revision: revisionOf(body), more: body.more === true };
}

function refuseForeign(entries: readonly { readonly key: string }[], { from, to }: KeyRange): void {
  if (entries.some(({ key }) => key < from || key >= to)) throw strange("a key outside the range");
}

export function readCommit(reply: Json): Commit {
  const body = objectOf(reply);
  return { done: body.succeeded === true, revision: revisionOf(body) };
}

/** One message of a watch. */
export interface WatchMessage {
  readonly changes: readonly Change[];
  /** True if the watch has ended. */
  readonly canceled: boolean;
  readonly compacted: boolean;
  readonly words: string;
}

export function readWatchMessage(line: Json, range: KeyRange): WatchMessage {
  const message = objectOf(line);
  if (message.result === undefined)
    return { changes: [], canceled: true, compacted: false, words: wordsOf(message.error) };
  const result = objectOf(message.result);
  const canceled = result.canceled === true;
  const compacted = canceled && intOf(result.compact_revision) > 0;
  const changes = listOf(result.events).map(readChange);
  refuseForeign(changes, range);
  return { changes, canceled, compacted, words: wordsOf(result.cancel_reason) };
}

/** Returns the id of a granted lease. */
export function readLease(reply: Json): string {
  return digitsOf(objectOf(reply).ID);
}

/** Returns true if a renewed lease still lives: one that has ended has no time to live. */
export function readRenewal(reply: Json): boolean {
  const body = objectOf(reply);
  if (body.result === undefined) throw strange(wordsOf(body.error));
  return intOf(objectOf(body.result).TTL) > 0;
}

export function readToken(reply: Json): string {
  const { token } = objectOf(reply);
  if (typeof token !== "string" || !/^[\x21-\x7e]{1,4096}$/.test(token)) throw strange("no token");
  return token;
}

/** A member, as it says itself. */
export interface MemberStatus {
  /** As `3.4.23`. */
  readonly version: string;
  readonly clusterId: string | undefined;
  /** True if it knows a leader of its cluster. */
  readonly leader: boolean;
}

export function readStatus(reply: Json): MemberStatus {
  const { version, leader } = objectOf(reply);
  if (typeof version !== "string" || !/^\d{1,4}\.\d{1,4}(\.[\w.+-]{1,32})?$/.test(version)) throw strange("no version");
  return { version, clusterId: clusterIdOf(reply), leader: leader !== undefined && leader !== "0" };
}

/** Returns the id of the cluster that answered; undefined if the reply names none. */
export function clusterIdOf(reply: Json): string | undefined {
  const header = isJsonObject(reply) ? reply.header : undefined;
  const id = header !== undefined && isJsonObject(header) ? header.cluster_id : undefined;
  return typeof id === "string" ? id.slice(0, 32) : undefined;
}

function readEntry(kv: Json): StoreEntry {
  const { key, value, mod_revision } = objectOf(kv);
  return { key: decode(key), text: value === undefined ? "" : decode(value), revision: intOf(mod_revision) };
}

function readChange(event: Json): Change {
  const { type, kv } = objectOf(event);
  const { key, text, revision } = readEntry(kv ?? null);
  if (type === "DELETE") return { key, text: undefined, revision, created: false };
  return { key, text, revision, created: intOf(objectOf(kv ?? null).create_revision) === revision };
}

function revisionOf(body: JsonObject): number {
  const revision = intOf(objectOf(body.header ?? null).revision);
  if (revision === 0) throw strange("no revision");
  return revision;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decode(value: Json | undefined): string {
  if (typeof value !== "string") throw strange("bytes that are not base64");
  return Buffer.from(value, "base64").toString();
}

/** Reads a whole number of at most 53 bits; absent: 0. */
function intOf(value: Json | undefined): number {
  if (value === undefined) return 0;
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0)
    throw strange("a number out of bounds");
  return number;
}

function digitsOf(value: Json | undefined): string {
  if (typeof value === "string" && /^\d{1,20}$/.test(value)) return value;
  throw strange("no id");
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value as readonly Json[];
  throw strange("a list that is not one");
}

function objectOf(value: Json | undefined): JsonObject {
  if (value !== undefined && isJsonObject(value)) return value;
  throw strange("a value that is not an object");
}

function wordsOf(value: Json | undefined): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "no reason given");
  return escapeLine(text, WORDS);
}

/** A reply that is not etcd's: whether a write was done is then unknown. */
function strange(what: string): StoreError {
  return new StoreError(`the store's reply is not etcd's: ${what}`, { unknown: true });
}

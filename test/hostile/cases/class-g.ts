/** Class G, the protocol: what an attacker with the raw ports of a worker posts, and what must come of it. */
import { LIMITS } from "#dist/protocol/limits.js";
import type { Expected } from "../owned-host.js";

/** Items of the list of attacks that these cases cover. */
export const items: readonly number[] = [46, 47, 48, 49, 50, 56];

export interface Case {
  readonly item: number;
  readonly title: string;
  readonly attack: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
}

const protocol = (detail: RegExp): Expected => ({ code: "ERR_PROTOCOL", detail });
const flood = (detail: RegExp): Expected => ({ code: "ERR_FLOOD", detail, heavy: true });
const request = (item: number, title: string, message: object, detail: RegExp): Case => ({
  item,
  title,
  attack: { name: "request", message },
  expected: protocol(detail),
});
const body = (item: number, title: string, text: string, detail: RegExp): Case => ({
  item,
  title,
  attack: { name: "body", text },
  expected: protocol(detail),
});
const messages = (item: number, title: string, list: readonly unknown[], detail: RegExp): Case => ({
  item,
  title,
  attack: { name: "messages", messages: list },
  expected: protocol(detail),
});
const value = (which: string): Case => ({
  item: 49,
  title: `posts what is not text: ${which}`,
  attack: { name: "value", which },
  expected: protocol(/not text/),
});

/** Each leads to one violation, or to nothing. */
export const cases: readonly Case[] = [
  request(46, `a path "constructor"`, { path: ["constructor"] }, /unknown name/),
  request(46, `a path "__proto__"`, { path: ["__proto__"] }, /unknown name/),
  request(46, `a path "toString"`, { path: ["toString"] }, /unknown name/),
  request(46, `a path "get", of the map that is looked up in`, { path: ["get"] }, /unknown name/),
  request(46, "a path of two", { path: ["store.get", "constructor"] }, /too many/),
  request(46, "a path that walks to Function", { path: ["__proto__", "constructor", "constructor"] }, /too many/),
  request(46, "an empty path", { path: [] }, /not a short text/),
  request(46, "a path of a number", { path: [0] }, /not a short text/),
  request(46, "a path that is text", { path: "store.get" }, /not a list/),
  request(46, "a path that looks like a list", { path: { 0: "store.get", length: 1 } }, /not a list/),
  ...["GET", "SET", "CONSTRUCT", "ENDPOINT", "RELEASE", "apply", ""].map((type) =>
    request(
      46,
      `a request of type "${type}"`,
      { type, path: ["store.get"], value: { type: "RAW", value: 1 } },
      /not an APPLY/,
    ),
  ),
  request(46, "a request of no type at all", { type: null }, /not an APPLY/),

  request(47, "arguments that are no list", { argumentList: { length: 1 } }, /not a list/),
  request(47, "nine arguments", { argumentList: Array.from({ length: 9 }, () => ({ type: "RAW" })) }, /too many/),
  request(47, "an argument null", { argumentList: [null] }, /not an object/),
  request(
    47,
    "an argument by the handler proxy",
    { argumentList: [{ type: "HANDLER", name: "proxy", value: {} }] },
    /not a RAW value/,
  ),
  request(
    47,
    "an argument by the handler throw",
    { argumentList: [{ type: "HANDLER", name: "throw", value: { isError: true, value: {} } }] },
    /not a RAW value/,
  ),
  request(
    47,
    "an argument by an unknown handler",
    { argumentList: [{ type: "HANDLER", name: "constructor", value: {} }] },
    /not a RAW value/,
  ),
  request(47, "an id that is a number", { id: 1 }, /not a short text/),
  request(47, "an id of 129 characters", { id: "x".repeat(129) }, /not a short text/),
  request(47, "an empty id", { id: "" }, /without id/),
  {
    item: 47,
    title: "a reply by the handler proxy",
    attack: { name: "reply", target: "own", message: { type: "HANDLER", name: "proxy", value: {} } },
    expected: protocol(/no known type/),
  },
  {
    item: 47,
    title: "a reply that throws what is not an object",
    attack: { name: "reply", target: "own", message: { type: "HANDLER", name: "throw", value: null } },
    expected: protocol(/an error is not an object/),
  },
  {
    item: 47,
    title: "a reply of type SET",
    attack: { name: "reply", target: "own", message: { type: "SET" } },
    expected: protocol(/no known type/),
  },

  {
    item: 48,
    title: "a reply to an id never given",
    attack: { name: "reply", target: 4_000_000 },
    expected: protocol(/an unknown call/),
  },
  messages(48, "a compact reply to an id never given", [[4_000_000, null]], /an unknown call/),
  messages(48, "a compact reply to half an id", [[1.5, null]], /not a count/),
  messages(48, "a compact reply of three parts", [[1, null, null]], /not an id and a value/),
  { item: 48, title: "a reply to id 0", attack: { name: "reply", target: 0 }, expected: protocol(/an unknown call/) },
  {
    item: 48,
    title: "a reply to a negative id",
    attack: { name: "reply", target: -1 },
    expected: protocol(/not a count/),
  },
  {
    item: 48,
    title: "a reply to half an id",
    attack: { name: "reply", target: 1.5 },
    expected: protocol(/not a count/),
  },
  {
    item: 48,
    title: `a reply to the id "constructor"`,
    attack: { name: "reply", target: "constructor" },
    expected: protocol(/not a count/),
  },
  {
    item: 48,
    title: "two replies in one frame",
    attack: { name: "duplicate" },
    expected: protocol(/an unknown call/),
  },
  { item: 48, title: "a second reply, later", attack: { name: "late" }, expected: protocol(/an unknown call/) },
  messages(48, "a call dropped that was never sent", [{ kind: "dropped", id: 4_000_000 }], /an unknown call/),
  {
    item: 48,
    title: "another worker's route",
    attack: { name: "text", text: "00000000[0]" },
    expected: protocol(/another worker's route/),
  },
  {
    item: 48,
    title: "another worker's route, with a reply",
    attack: { name: "text", text: `ffffffff[0,{"kind":"reply","message":{"id":1,"type":"RAW"}}]` },
    expected: protocol(/another worker's route/),
  },
  {
    item: 48,
    title: "an acknowledgement of frames never sent",
    attack: { name: "ack", extra: 1000 },
    expected: protocol(/acknowledges more/),
  },

  ...[
    "null",
    "undefined",
    "number",
    "object",
    "array",
    "sparse",
    "bigint",
    "shared",
    "buffer",
    "error",
    "map",
    "wasm",
    "date",
    "string",
    "port",
  ].map(value),
  {
    item: 49,
    title: "a port sent along with text",
    attack: { name: "value", which: "text-and-port" },
    expected: protocol(/another worker's route/),
  },
  { item: 49, title: "a reply with a key __proto__", attack: { name: "proto" }, expected: protocol(/__proto__/) },
  {
    item: 49,
    title: "a message whose fields hide under __proto__",
    attack: { name: "requestText", text: `{"__proto__":{"kind":"started"}}` },
    expected: protocol(/no known kind/),
  },
  {
    item: 49,
    title: "a request whose type hides under __proto__",
    attack: {
      name: "requestText",
      text: `{"kind":"request","message":{"__proto__":{"type":"APPLY"},"id":"a","path":["store.get"],"argumentList":[]}}`,
    },
    expected: protocol(/__proto__|not an APPLY/),
  },
  {
    item: 49,
    title: "a notice nested 20,000 deep",
    attack: { name: "deep", depth: 20_000 },
    expected: protocol(/nested too deeply/),
  },
  {
    item: 49,
    title: "a notice nested 200,000 deep",
    attack: { name: "deep", depth: 200_000 },
    expected: protocol(/nested too deeply/),
  },
  {
    item: 49,
    title: "a reply nested one deeper than allowed",
    attack: { name: "deepReply", depth: 33 },
    expected: protocol(/nested too deeply/),
  },
  {
    item: 49,
    title: "a frame of 4097 messages",
    attack: { name: "many", count: 4097, message: { kind: "notice", name: "log.write", args: [] } },
    expected: protocol(/wrong count/),
  },
  body(
    49,
    "a value of more parts than allowed",
    `[0,{"kind":"notice","name":"log.write","args":[[${"0,".repeat(20_000)}0]]}]`,
    /too many parts/,
  ),

  {
    item: 50,
    title: "a frame one character too long",
    attack: { name: "long", chars: LIMITS.frameChars + 1 },
    expected: protocol(/too long/),
  },
  {
    item: 50,
    title: "a frame of the very limit",
    attack: { name: "long", chars: LIMITS.frameChars },
    expected: protocol(/a message is not an object/),
  },
  {
    item: 50,
    title: "an empty text",
    attack: { name: "text", text: "" },
    expected: protocol(/another worker's route/),
  },
  body(50, "a route alone", "", /not JSON/),
  body(50, "garbage after the route", "\u0000\u0001\uffff", /not JSON/),
  body(50, "a truncated frame", `[0,{"kind":"rep`, /not JSON/),
  body(50, "a frame and something after it", "[0]x", /not JSON/),
  body(50, "half a megabyte of brackets", "[".repeat(500_000), /not JSON/),
  body(50, "an object for a frame", `{"0":0,"length":1}`, /not a list/),
  body(50, "null for a frame", "null", /not a list/),
  body(50, "an empty list", "[]", /wrong count/),
  body(50, "an acknowledgement that is text", `["0"]`, /acknowledges no count/),
  body(50, "an acknowledgement below zero", "[-1]", /acknowledges no count/),
  body(50, "an infinite acknowledgement", "[1e999]", /acknowledges no count/),
  body(50, "a message null", "[0,null]", /not an object/),
  body(50, "a message that is a list", "[0,[]]", /not an id and a value/),
  messages(50, "a message of unknown kind", [{ kind: "constructor" }], /no known kind/),
  messages(50, "a message of the host's kind", [{ kind: "call", expires: 0, message: {} }], /no known kind/),
  messages(50, "a second hello", [{ kind: "hello", protocol: 1, runtime: "0.1.0", thread: 1 }], /second hello/),
  messages(
    50,
    "a hello of another protocol version",
    [{ kind: "hello", protocol: 2, runtime: "9.9.9", thread: 1 }],
    /second hello/,
  ),
  messages(50, "a second started", [{ kind: "started" }], /second reply to the start/),
  messages(
    50,
    "failed after started",
    [{ kind: "failed", stage: "init", error: { name: "E", message: "m" } }],
    /second reply to the start/,
  ),
  messages(50, "failed at no stage", [{ kind: "failed", stage: "__proto__", error: {} }], /no known stage/),
  messages(
    50,
    "a notice of unknown name",
    [{ kind: "notice", name: "constructor", args: [] }],
    /notice with an unknown name/,
  ),
  messages(50, "a notice without arguments", [{ kind: "notice", name: "log.write" }], /not a list/),
  messages(
    50,
    "an honest notice, then a violation",
    [{ kind: "notice", name: "log.write", args: ["info", "x"] }, 7],
    /not an object/,
  ),

  {
    item: 50,
    title: "more requests than may be open",
    attack: { name: "requests", count: 2000 },
    expected: flood(/requests are open/),
  },
  {
    item: 50,
    title: "registrations whose name cannot be made text, again and again",
    attack: {
      name: "requests",
      count: 100,
      message: {
        path: ["registerDriver"],
        argumentList: [
          { type: "RAW", value: { toString: 1, valueOf: 1 } },
          { type: "RAW", value: 0 },
        ],
      },
    },
    expected: flood(/refused registrations/),
  },
  {
    item: 50,
    title: "more frames than fit a second",
    attack: { name: "frames", count: 150_000 },
    expected: flood(/frames in a second/),
  },
  {
    item: 50,
    title: "100,000 notices",
    attack: { name: "notices", count: 100_000 },
    expected: flood(/notices in a second/),
  },

  ...[-2_147_483_648, -1, 2_147_483_647, 12_345].map(
    (running): Case => ({
      item: 56,
      title: `garbage in the shared cell: ${running}`,
      attack: { name: "cell", running, started: running },
      expected: protocol(/an unknown call/),
    }),
  ),
];

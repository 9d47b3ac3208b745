/**
 * Reads the messages of a worker's frame. A worker's realm may be an attacker's, so each field is read once, checked by
 * type, and copied into a new object: only strings, numbers and JSON values of the input go further.
 */

import type { Json } from "../driverapi/json.js";
import { ProtocolViolation } from "./frame.js";
import { LIMITS } from "./limits.js";
import {
  type ApplyRequest,
  type RawValue,
  type Reply,
  THROWN_TEXTS,
  type ThrownText,
  type ThrownValue,
  type UpMessage,
} from "./messages.js";

type Fields = { readonly [key: string]: unknown };

/** Reads one message. Throws `ProtocolViolation` for anything that an honest worker does not send. */
export function readUpMessage(value: unknown): UpMessage {
  if (Array.isArray(value)) return readCompactReply(value);
  const fields = record(value, "a message");
  switch (fields.kind) {
    case "reply":
      return { kind: "reply", message: readReply(fields.message) };
    case "request":
      return { kind: "request", message: readRequest(fields.message) };
    case "notice":
      return {
        kind: "notice",
        name: text(fields.name, 64, "a notice's name"),
        args: list(fields.args, 8, "a notice's arguments").map(checked),
      };
    case "dropped":
      return { kind: "dropped", id: callId(fields.id) };
    case "started":
      return { kind: "started" };
    case "failed": {
      const stage = fields.stage;
      if (stage !== "load" && stage !== "export" && stage !== "init" && stage !== "protocol")
        throw new ProtocolViolation("a failure of no known stage");
      return { kind: "failed", stage, error: readThrown(fields.error) };
    }
    case "crashed":
      return { kind: "crashed", origin: text(fields.origin, 64, "a crash's origin"), error: readThrown(fields.error) };
    case "hello":
      return {
        kind: "hello",
        protocol: integer(fields.protocol, "a protocol version"),
        runtime: text(fields.runtime, 64, "a runtime version"),
        thread: integer(fields.thread, "a thread id"),
      };
    default:
      throw new ProtocolViolation("a message of no known kind");
  }
}

/** Reads `[id, value]`. */
function readCompactReply(value: readonly unknown[]): UpMessage {
  if (value.length !== 2) throw new ProtocolViolation("a reply that is not an id and a value");
  return { kind: "reply", message: { id: callId(value[0]), type: "RAW", value: checked(value[1]) } };
}

function readReply(value: unknown): Reply {
  const fields = record(value, "a reply");
  const id = callId(fields.id);
  if (fields.type === "RAW") return { id, type: "RAW", value: checked(fields.value ?? null) };
  if (fields.type === "HANDLER" && fields.name === "throw")
    return { id, type: "HANDLER", name: "throw", value: readThrown(fields.value) };
  throw new ProtocolViolation("a reply of no known type");
}

/**
 * Accepts only `APPLY` with a path of length one: attacks on comlink use SET, CONSTRUCT, ENDPOINT, RELEASE and longer
 * paths.
 */
function readRequest(value: unknown): ApplyRequest {
  const fields = record(value, "a request");
  if (fields.type !== "APPLY") throw new ProtocolViolation("a request that is not an APPLY");
  const path = list(fields.path, 1, "a request's path");
  const name = text(path[0], 64, "a request's path");
  const id = text(fields.id, 128, "a request's id");
  if (id.length === 0) throw new ProtocolViolation("a request without id");
  const argumentList: RawValue[] = list(fields.argumentList, 8, "a request's arguments").map((item) => {
    const wire = record(item, "an argument");
    if (wire.type !== "RAW") throw new ProtocolViolation("an argument that is not a RAW value");
    return { type: "RAW", value: checked(wire.value ?? null) };
  });
  return { id, type: "APPLY", path: [name], argumentList };
}

function readThrown(value: unknown, depth: number = LIMITS.thrownDepth): ThrownValue {
  const fields = record(value, "an error");
  const line = fields.line;
  return {
    name: cut(fields.name, 128, "Error"),
    message: cut(fields.message, LIMITS.messageChars, ""),
    ...optionalTexts(fields),
    ...(typeof line === "number" && Number.isSafeInteger(line) && line > 0 ? { line } : {}),
    ...(fields.cause === undefined || depth === 0 ? {} : { cause: readThrown(fields.cause, depth - 1) }),
    ...(fields.errors === undefined || depth === 0
      ? {}
      : {
          errors: list(fields.errors, LIMITS.thrownErrors, "an error's errors").map((one) =>
            readThrown(one, depth - 1),
          ),
        }),
  };
}

/** Checks that a JSON value is within the wire's depth and size. It came from JSON.parse, so it is a tree of plain data. */
function checked(value: unknown): Json {
  if (value === null || typeof value !== "object") return value as Json;
  let nodes = 0;
  const walk = (item: object, depth: number): void => {
    if (depth > LIMITS.jsonDepth) throw new ProtocolViolation("a value is nested too deeply");
    if (Array.isArray(item)) {
      nodes += item.length;
      if (nodes > LIMITS.jsonNodes) throw new ProtocolViolation("a value has too many parts");
      for (const child of item) if (child !== null && typeof child === "object") walk(child, depth + 1);
      return;
    }
    for (const key in item) {
      if (++nodes > LIMITS.jsonNodes) throw new ProtocolViolation("a value has too many parts");
      if (key === "__proto__") throw new ProtocolViolation("a value has a key __proto__");
      const child = (item as Fields)[key];
      if (child !== null && typeof child === "object") walk(child, depth + 1);
    }
  };
  walk(value, 1);
  return value as Json;
}

/** Reads the texts that an error may carry, each cut to its bound. */
function optionalTexts(fields: Fields): Partial<Record<ThrownText, string>> {
  const texts: Partial<Record<ThrownText, string>> = {};
  for (const [name, max] of Object.entries(THROWN_TEXTS) as [ThrownText, number][]) {
    const found = fields[name];
    if (typeof found === "string") texts[name] = found.slice(0, max);
  }
  return texts;
}

function record(value: unknown, what: string): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new ProtocolViolation(`${what} is not an object`);
  return value as Fields;
}

function list(value: unknown, max: number, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ProtocolViolation(`${what} are not a list`);
  if (value.length > max) throw new ProtocolViolation(`${what} are too many`);
  return value;
}

function text(value: unknown, max: number, what: string): string {
  if (typeof value !== "string" || value.length > max) throw new ProtocolViolation(`${what} is not a short text`);
  return value;
}

function integer(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new ProtocolViolation(`${what} is not a count`);
  return value;
}

function callId(value: unknown): number {
  return integer(value, "a call's id");
}

function cut(value: unknown, max: number, otherwise: string): string {
  return typeof value === "string" ? value.slice(0, max) : otherwise;
}

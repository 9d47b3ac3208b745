/** Frames of a worker, and the stream of a host process. */
import fc from "fast-check";
import { OPTIONAL_DRIVER_METHODS } from "#dist/driverapi/constants.js";
import { CONTROL_HEADER, frameBytes } from "#dist/isolation/host-frames.js";
import { anyText, fields, mostly, poison } from "./values.js";

const HEADER = "00000001";

const id = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.nat());
/** An error as a worker tells it. */
export const error: fc.Arbitrary<unknown> = fields({
  name: fc.string(),
  message: anyText(80),
  code: fc.constantFrom("ERR_ENDPOINT_NOT_FOUND", "ERR_HOST_CLOSED", "constructor", "X"),
  kind: fc.constantFrom("NotFound", "Forbidden", "toString", "X"),
  stack: fc.string(),
  file: fc.constantFrom("a.js", "../x"),
  line: fc.nat(),
});
const REQUESTS = [
  "store.get",
  "store.set",
  "store.keys",
  "store.delete",
  "store.compareAndSet",
  "registerDriver",
] as const;
const NETLINK = ["createLink", "setLink", "deleteLink", "links", "addAddress", "addRoute"].map((op) => `netlink.${op}`);
const FAULTS = ["fuzz.fault", "fuzz.refuse", "fuzz.at-once", "toString", "no.such"] as const;
const name = fc.constantFrom(...REQUESTS, ...NETLINK, ...FAULTS);
const argument = fc.oneof(
  poison,
  fc.constantFrom(
    "k",
    "bh-0",
    "10.64.0.1/24",
    "x",
    "local",
    true,
    null,
    [],
    [...OPTIONAL_DRIVER_METHODS],
    OPTIONAL_DRIVER_METHODS.slice(1),
  ),
);
const raw = fields({ type: fc.constant("RAW"), value: argument });

const message = fc.oneof(
  fc.tuple(mostly(id), poison),
  fields({ kind: fc.constant("reply"), message: fields({ id, type: fc.constant("RAW"), value: poison }) }),
  fields({
    kind: fc.constant("reply"),
    message: fields({ id, type: fc.constant("HANDLER"), name: fc.constant("throw"), value: error }),
  }),
  fields({
    kind: fc.constant("request"),
    message: fields({
      id: fc.string({ minLength: 1, maxLength: 40 }),
      type: fc.constant("APPLY"),
      path: fc.tuple(name),
      argumentList: fc.array(raw, { maxLength: 9 }),
    }),
  }),
  fields({
    kind: fc.constant("notice"),
    name: fc.constantFrom("log.write", "no.such"),
    args: fc.tuple(fc.constantFrom("info", "no"), fc.string(), poison),
  }),
  fields({ kind: fc.constant("dropped"), id }),
  fields({ kind: fc.constant("started") }),
  fields({ kind: fc.constant("failed"), stage: fc.constantFrom("load", "export", "init", "protocol"), error }),
  fields({
    kind: fc.constant("crashed"),
    origin: fc.constantFrom("uncaughtException", "unhandledRejection"),
    error,
  }),
  fields({
    kind: fc.constant("hello"),
    protocol: fc.nat(),
    runtime: fc.string({ maxLength: 66 }),
    thread: fc.nat(),
  }),
);

const frameText: fc.Arbitrary<string> = fc
  .tuple(mostly(fc.nat(25)), fc.array(message, { maxLength: 4 }))
  .map(([ack, messages]) => `${HEADER}${JSON.stringify([ack, ...messages])}`);

/** Texts, and what is not text at all. */
export const frame: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: frameText },
  { weight: 1, arbitrary: anyText(20).map((text) => HEADER + text) },
  { weight: 1, arbitrary: poison.map((value) => `${HEADER}${JSON.stringify(value)}`) },
  { weight: 1, arbitrary: fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }) },
);

/** One to three frames, a line each; or something else in the place of one. */
export const conversation: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 7, arbitrary: fc.array(frameText, { minLength: 1, maxLength: 3 }).map((frames) => frames.join("\n")) },
  { weight: 1, arbitrary: frame },
);

const route32 = fc.oneof(fc.nat(3), fc.nat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32));
const control = fc.oneof(
  fields({
    kind: fc.constantFrom("ready", "opened", "failed", "foreign", "pong", "x"),
    id: fc.nat(),
    route: route32,
    why: fc.string(),
  }),
  fields({
    kind: fc.constant("ended"),
    route: route32,
    how: fc.constantFrom("exit", "memory", "killed", "process"),
    detail: fc.string(),
  }),
  fields({ kind: fc.constant("cell"), route: route32, running: fc.integer(), started: fc.integer() }),
  fields({
    kind: fc.constantFrom("profile", "profiled"),
    ...{
      id: fc.oneof(fc.nat(), fc.constant(-1)),
      part: fc.oneof(fc.string(), fc.constant("x".repeat(24_001))),
      why: fc.string(),
    },
  }),
  fields({ kind: fc.constant("busy"), workers: fc.array(fc.tuple(route32, fc.double()), { maxLength: 3 }) }),
);
const streamFrame = fc.oneof(
  control.map((value) => frameBytes(`${CONTROL_HEADER}${JSON.stringify(value)}`)),
  frameText.map(frameBytes),
  fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes)),
  // Over the length of a control message, whole and in order.
  fc.integer({ min: 60_000, max: 66_000 }).map((length) => frameBytes(`${CONTROL_HEADER}"${"x".repeat(length)}"`)),
);
export const streamBytes: fc.Arbitrary<Buffer> = fc
  .array(streamFrame, { minLength: 1, maxLength: 4 })
  .map((parts) => Buffer.concat(parts));

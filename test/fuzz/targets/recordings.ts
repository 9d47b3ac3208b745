/**
 * A recording, which may have passed through any hands: what is not an entry is left out, each entry is shown as lines, and a replay calls
 * the driver as a host would, or reports the call as failed. Nothing throws.
 */
import fc from "fast-check";
import { entryRow } from "#dist/cli/record.js";
import { escapeLine } from "#dist/common/escape.js";
import { DriverError } from "#dist/driverapi/errors.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { parseRecording } from "#dist/host/recorder/read-recording.js";
import { Replay, type ReplayHost } from "#dist/testing/replay-recording.js";
import { anyText, mostly, poison } from "../generators/values.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

const METHODS = [
  ...["config", "createNetwork", "deleteNetwork", "createEndpoint", "deleteEndpoint", "endpointOperInfo"],
  ...["join", "leave", "programExternalConnectivity", "revokeExternalConnectivity", "type", "constructor"],
];

const text = fc.oneof(fc.constantFrom("net", "n", "other", "__proto__", "\u001b[2J"), anyText(4));
const time = fc.oneof(fc.integer({ min: 0, max: 2e12 }), fc.constantFrom(1e300, -1, 8.64e15, 8.65e15, 0.5));
const id = fc.constantFrom("n", "m", "e");
const args = fc.oneof(
  fc.array(fc.oneof(id, fc.constantFrom<unknown>({}, [], [0], [{ id: 0, address: "10.0.0.2/24" }]), poison), {
    maxLength: 5,
  }),
  fc.tuple(fc.constant("n"), fc.constant("e"), fc.constant([]), fc.constant({})),
);
const timed = { time: mostly(time), plugin: mostly(text), ms: mostly(time), code: text, message: text };
const optional = (shape: Record<string, fc.Arbitrary<unknown>>, ...left: string[]) =>
  fc.record(shape, { requiredKeys: Object.keys(shape).filter((key) => !left.includes(key)) });
const entry = fc.oneof(
  optional(
    { kind: fc.constant("call"), ...timed, type: mostly(text), method: mostly(fc.constantFrom(...METHODS)), args },
    ...["code", "message", "args"],
  ),
  optional({ kind: fc.constant("request"), ...timed, name: mostly(text), args: mostly(text) }, "code", "message"),
  optional(
    {
      ...{ kind: fc.constant("event"), time: mostly(time), plugin: mostly(text) },
      ...{ event: mostly(fc.constantFrom("plugin:restarting", "x")), reason: text },
    },
    "reason",
  ),
  fc.record({ kind: fc.constant("gap"), time: mostly(time), missed: mostly(fc.nat()) }),
  poison,
);
const recording = fc.array(entry, { maxLength: 6 }).map((all) => all.map((one) => JSON.stringify(one)).join("\n"));

const call = (method: string, given: unknown, more: object = {}) =>
  ({
    kind: "call",
    time: 1,
    plugin: "net",
    ms: 0.5,
    type: "net",
    method,
    ...(given ? { args: given } : {}),
    ...more,
  }) as const;
const lines = (...all: object[]): string => `${all.map((one) => JSON.stringify(one)).join("\n")}\n`;

const CORPUS = [
  lines(
    call("config", [{}]),
    call("createNetwork", ["n", { "bulkhead.replay": true }]),
    call("createEndpoint", ["n", "e", [{ id: 0, address: "10.0.0.2/24" }], {}]),
    call("join", ["n", "e", "/run/netns/box", [0], {}]),
  ),
  lines(
    call("createNetwork", ["n", {}]),
    call("programExternalConnectivity", ["n", "e", {}]),
    call("revokeExternalConnectivity", ["n", "e"]),
    call("endpointOperInfo", ["n", "e"]),
  ),
  lines(
    call("createNetwork", ["n", {}]),
    { kind: "event", time: 2, plugin: "net", event: "plugin:restarting", reason: "it crashed" },
    call("leave", ["n", "e"], { code: "ERR_DRIVER_TIMEOUT", message: "late" }),
    call("deleteEndpoint", ["n", "e"]),
    call("deleteNetwork", ["n"]),
    call("createNetwork", undefined),
  ),
  lines(
    { kind: "request", time: 3, plugin: "net", name: "netlink.createLink", args: '[{"kind":"bridge"}]', ms: 1 },
    { kind: "gap", time: 4, missed: 7 },
  ),
];

/** A host whose drivers answer at once; a type that it does not have is refused as by a real one. */
function standIn(called: string[]): ReplayHost {
  const answer =
    (method: string) =>
    async (nid: unknown): Promise<void> => {
      called.push(method);
      if (nid === "m") throw new DriverError("ERR_NETWORK_NOT_FOUND", "no such network");
    };
  const driver = Object.fromEntries(METHODS.slice(0, 10).map((method) => [method, answer(method)]));
  return {
    driver(type) {
      if (type !== "net") throw new DriverError("ERR_DRIVER_NOT_FOUND", "no such driver");
      return driver as unknown as HostedDriver;
    },
    kill: async () => void called.push("kill"),
    onRestarting: () => {},
  };
}

async function run(input: unknown): Promise<Outcome> {
  const given = String(input);
  const entries = parseRecording(given);
  const told = entries.map((one) => JSON.stringify(one)).join("\n");
  must(JSON.stringify(parseRecording(told)) === JSON.stringify(entries), "an export of it says something else");
  let before = Number.NEGATIVE_INFINITY;
  for (const one of entries) {
    must(one.time >= before, "they are not in order");
    before = one.time;
    for (const cell of entryRow(one)) mustBeLine(escapeLine(cell, 100), 1000);
  }
  const called: string[] = [];
  const own = entries.flatMap((one) => (one.kind === "call" || one.kind === "event" ? [one] : []));
  const { calls, skipped } = await new Replay(standIn(called)).run(own);
  const made = own.filter(({ kind }) => kind === "call").length - skipped;
  must(calls.filter(({ method }) => method !== "restart").length === made, "a call is lost");
  must(called.length <= calls.length + own.length, "more was called than recorded");
  const whole = given.split("\n").filter((line) => line !== "").length;
  if (entries.length === 0) return { reach: "unread" };
  return { reach: entries.length === whole ? "accepted" : "refused" };
}

export const recordings: Target = {
  name: "recording",
  corpus: CORPUS,
  most: 4096,
  files: [
    { file: "host/recorder/read-recording.js", functions: ["parseRecording"] },
    { file: "host/recorder/entry.js" },
    { file: "testing/replay-recording.js", functions: ["run", "#call", "call", "given", "joining", "errorOf"] },
    { file: "cli/record.js", functions: ["entryRow"] },
  ],
  generated: recording,
  run,
};

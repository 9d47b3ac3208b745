/**
 * The host's session and dispatcher over a fake link. An input is what one worker sends, a frame a line, to a session
 * with calls in flight and real powers behind its requests. Whatever it is: the session lives or ends once, with a code.
 */
import { DriverError } from "#dist/driverapi/errors.js";
import type { Json } from "#dist/driverapi/json.js";
import { parseScope, parseTypeName } from "#dist/driverapi/names.js";
import { hasOptionalMethods } from "#dist/driverapi/optional-methods.js";
import type { Link } from "#dist/isolation/link.js";
import { HostTime } from "#dist/permissions/host-time.js";
import { HOST_TIME } from "#dist/permissions/limits.js";
import { createLogPower } from "#dist/permissions/log/host.js";
import { createNetlinkPower } from "#dist/permissions/netlink/host.js";
import type { PowerMethod } from "#dist/permissions/permission.js";
import { MemoryStore } from "#dist/permissions/store/backend.js";
import { createStorePower } from "#dist/permissions/store/host.js";
import { decodeDown } from "#dist/protocol/frame.js";
import { LIMITS } from "#dist/protocol/limits.js";
import { SESSION } from "#dist/session/limits.js";
import { Session } from "#dist/session/session.js";
import { SILENT } from "../../kit/logger.js";
import { distinct, recorded } from "../corpus.js";
import { conversation } from "../generators/frames.js";
import { stopwatch } from "../stopwatch.js";
import { must, type Outcome, type Target } from "../target.js";

/** Calls in flight, and frames sent: as many as the longest recorded conversation answers. */
const CALLS = 24;
/** Violations of the codec; all others are judged by what the messages say. */
const UNREAD = /^a frame (is|bears|has|acknowledges no)/;
/** Microtasks after which a request that waits for nothing has been answered. */
const TURNS = 4;
/** Of so many lengths of an input one finds its time used up. */
const USED_UP = 16;
/** How an input ends that finds more than that. */
const OVERDRAWN = "\t\t";
const METHODS = ["createNetwork", "createEndpoint", "join", "endpointOperInfo"] as const;

class NoLink implements Link {
  readonly route = 1;
  readonly isolation = "thread";
  readonly wall = undefined;
  readonly pid = undefined;
  readonly residentMb = undefined;
  readonly busyMs = 0;
  readonly cell = { running: () => 0, started: () => 0 };
  readonly sent: string[] = [];
  onFrame: ((data: unknown) => void) | undefined;
  onEnd: Link["onEnd"];
  kills = 0;

  send(frame: string): void {
    this.sent.push(frame);
  }

  kill(): void {
    this.kills++;
  }
}

const quiet = (): void => {};

/** What a plugin may be granted, afresh for each session; netlink's requests are read and carried out by nobody. */
function powers(time: HostTime): {
  methods: Map<string, PowerMethod>;
  notices: ReadonlyMap<string, (args: readonly Json[]) => void>;
} {
  const plugin = "x";
  const log = createLogPower({
    plugin,
    limits: { linesPerSecond: 200, lineChars: 4096 },
    logger: SILENT,
    now: () => 0,
  });
  const store = createStorePower({ plugin, limits: { bytes: 4096, keys: 8 }, backend: new MemoryStore(), time });
  const netlink = createNetlinkPower({ plugin, ask: async ({ op }) => op, close: quiet });
  const methods = new Map<string, PowerMethod>([...(store.methods ?? []), ...(netlink.methods ?? [])]);
  methods.set("registerDriver", async ([name, , scope, optional]) => [
    parseTypeName(name),
    parseScope(scope),
    hasOptionalMethods(optional) ?? null,
  ]);
  // A fault of the host's own, of either kind, and an answer of any size: what the dispatcher makes of them.
  methods.set("fuzz.fault", ([late]) => {
    if (late !== true) throw new TypeError("a fault of the host's");
    return Promise.reject(new TypeError("a fault of the host's"));
  });
  methods.set("fuzz.refuse", () => {
    throw new DriverError("ERR_PERMISSION_LIMIT", "no");
  });
  methods.set("fuzz.at-once", ([value]) => value ?? null);
  methods.set("fuzz.big", () => "x".repeat(LIMITS.answerCharsPerSecond / 16));
  // As a generation takes it: of a driver that its worker refused itself.
  const notices = new Map([...(log.notices ?? []), ["driverRefused", quiet] as const]);
  return { methods, notices };
}

async function run(input: unknown): Promise<Outcome> {
  const link = new NoLink();
  const time = new HostTime();
  const { methods, notices } = powers(time);
  const violations: string[] = [];
  let faults = 0;
  let ends = 0;
  const session = new Session(
    link,
    {
      request(name, args) {
        if (name === "fuzz.fault") faults++;
        return methods.get(name)?.(args);
      },
      notice(name, args) {
        notices.get(name)?.(args);
        return notices.has(name);
      },
      violation: (code, detail) => violations.push(`${code}: ${detail}`),
      throttled: quiet,
      replied: quiet,
      ended: () => ends++,
    },
    { defaultDeadline: 5000, cpuPercent: 100, time },
  );
  const settled = new Map<number, number>();
  const start = session.start({ plugin: "x", code: "", sourceMap: "", grant: {}, deadline: 60_000 }).catch(quiet);
  for (let n = 1; n <= CALLS; n++) {
    const id = session.call(METHODS[n % METHODS.length] ?? "join", 0, ['"n"'], 1e12, {
      settle: () => settled.set(id, (settled.get(id) ?? 0) + 1),
    });
    // Calls of one turn of the loop share a frame: each has one of its own, as in what was recorded.
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Now and then its time is used up: what it asks then waits.
  if (typeof input === "string" && input.length % USED_UP === 0)
    time.spend(HOST_TIME.burstMs + (input.length > SESSION.requestChars ? 50 : 0.5));
  // It has been overdrawn: what it sends without being asked is a flood.
  const overdrawn = typeof input === "string" && input.endsWith(OVERDRAWN);
  if (overdrawn) time.spendUnasked(1.5 * HOST_TIME.debtMs);
  await undefined;
  const framesSent = link.sent.length;
  const elapsed = stopwatch();
  let slowest = 0;
  let read = 0;
  for (const data of typeof input === "string" ? input.split("\n") : [input]) {
    const began = performance.now();
    link.onFrame?.(data);
    // As a stream delivers them: what one frame leads to is done before the next one is read.
    for (let turn = 0; turn < TURNS; turn++) await undefined;
    slowest = Math.max(slowest, performance.now() - began);
    if (session.alive) read++;
  }
  const began = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  const ms = Math.min(elapsed(), Math.max(slowest, performance.now() - began));

  // What had to wait is served, all of it. Its own timers keep no process alive: a host's workers do.
  while (session.alive && time.wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(time.wait) + 1));

  const failures = link.sent.slice(framesSent).flatMap((frame) => decodeDown(frame));
  const failed = failures.filter((one) => JSON.stringify(one).includes("failed on the host's side"));
  must(failed.length <= faults, `a request failed on the host's side: ${JSON.stringify(failed[0])}`);
  must(violations.length <= 1 && violations.length <= ends, `violations: ${violations}; ended ${ends} times`);
  must(!violations.some((one) => one.includes("the host failed to handle a frame")), "the host failed on a frame");
  must(
    session.alive === (ends === 0) && link.kills === ends,
    `alive ${session.alive}, ended ${ends}, killed ${link.kills}`,
  );
  if (session.alive) {
    link.onFrame?.("00000001[1]");
    must(session.alive || overdrawn, "an honest frame after it was refused");
  }
  time.close();
  session.end({ code: "ERR_PLUGIN_STOPPED", reason: "the input is over", crash: false });
  await start;
  must(ends === 1, `ended ${ends} times`);
  for (let id = 1; id <= CALLS; id++) must(settled.get(id) === 1, `call ${id} settled ${settled.get(id) ?? 0} times`);
  if (read === 0 && violations.some((one) => UNREAD.test(one.slice(one.indexOf(" ") + 1))))
    return { reach: "unread", ms };
  return { reach: violations.length > 0 ? "refused" : "accepted", ms };
}

/** More than a worker may send in a second of each thing that is counted, and requests that fail in every way. */
function dear(): string[] {
  const frame = (count: number, message: string): string =>
    `00000001[1,${Array.from({ length: count }, () => message).join()}]`;
  const request = (name: string, value: Json = "k"): string => {
    const message = { id: "a", type: "APPLY", path: [name], argumentList: [{ type: "RAW", value }] };
    return JSON.stringify({ kind: "request", message });
  };
  const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join("\n");
  // Its time is used up, and more waits than may.
  const long = frame(1, request("store.set", "x".repeat(LIMITS.frameChars - 1024)));
  const waiting = times(Math.ceil(SESSION.requestChars / long.length) + 4, long);
  const notices = frame(LIMITS.frameMessages - 1, '{"kind":"notice","name":"log.write","args":["info","x"]}');
  return [
    times(LIMITS.framesPerSecond + 1, "00000001[1]"),
    times(Math.ceil(LIMITS.noticesPerSecond / LIMITS.frameMessages) + 1, notices),
    frame(LIMITS.requestsOpen + 1, request("store.get")),
    times(17, frame(1, request("fuzz.big"))),
    waiting.padEnd(Math.ceil(waiting.length / USED_UP) * USED_UP),
    `00000001[1]${OVERDRAWN}`,
    ...["fuzz.fault", "fuzz.refuse", "fuzz.at-once"].map((name) => frame(1, request(name))),
    frame(1, request("fuzz.fault", true)),
  ];
}

/** The hello is read before there is a session. */
const said = recorded().map(({ frames }) => frames.filter((frame) => !frame.includes('"hello"')));

export const session: Target = {
  name: "session and dispatcher",
  corpus: distinct(said.flatMap((frames) => [...frames, frames.slice(0, 3).join("\n")])),
  most: LIMITS.frameChars + 16,
  files: [
    { file: "session/session.js", functions: ["#handle", "#violate"] },
    { file: "session/calls-in-flight.js", functions: ["take"] },
    { file: "session/incoming.js", functions: ["receive", "#pay", "readingMs"] },
    { file: "session/dispatcher.js" },
    { file: "common/rate.js" },
    { file: "session/outcome.js", functions: ["crashReason"] },
  ],
  generated: conversation,
  once: dear(),
  run,
};

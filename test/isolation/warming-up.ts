/** A realm of a worker's own that warms up, and is then told to run a plugin whose driver throws. Posts what came of both. */
import { parentPort } from "node:worker_threads";
import { monotonicNow } from "#dist/common/clock.js";
import { DownFrames, decodeDown, routeHeader } from "#dist/protocol/frame.js";
import { PROTOCOL_VERSION, type UpMessage } from "#dist/protocol/messages.js";
import { RUNTIME_VERSION } from "#dist/protocol/version.js";
import { lockdownRealm } from "#dist/worker/lockdown.js";
import { Outbox } from "#dist/worker/outbox.js";
import { runSession, type WorkerSession } from "#dist/worker/session.js";
import { warmUp } from "#dist/worker/warm-up.js";

export interface WarmedUp {
  readonly answered: number;
  /** Everything the plugin's worker said afterwards, and nothing of the warm-up. */
  readonly said: readonly UpMessage[];
  readonly cells: readonly number[];
}

const PLUGIN = `var __plugin__ = { init(callback) {
  const driver = {};
  for (const name of ["config", "createNetwork", "deleteNetwork", "createEndpoint", "deleteEndpoint", "endpointOperInfo", "join", "leave"])
    driver[name] = () => { throw new Error("thrown by the plugin"); };
  driver.type = () => "mine";
  return callback.registerDriver("mine", driver, { scope: "local" });
} };`;
/** Line 4 of what is evaluated, as line 31 of the author's file. */
const SOURCE_MAP = JSON.stringify({ version: 3, sources: ["author.ts"], names: [], mappings: ";;;AA8BA" });

const realm = lockdownRealm();
const answered = await warmUp((options) => runSession({ realm, now: monotonicNow, ...options }));

const said: UpMessage[] = [];
const cells: number[] = [];
const down = new DownFrames(routeHeader(7));
const outbox = new Outbox(routeHeader(7), (frame) => {
  const [, ...messages] = JSON.parse(frame.slice(8)) as [number, ...UpMessage[]];
  for (const message of messages) hear(message);
});
const session: WorkerSession = runSession({
  realm,
  outbox,
  now: monotonicNow,
  running: (id) => cells.push(id),
  started: (id) => cells.push(id),
  onBegin() {},
});
give({
  kind: "start",
  protocol: PROTOCOL_VERSION,
  runtime: RUNTIME_VERSION,
  plugin: "mine",
  code: PLUGIN,
  sourceMap: SOURCE_MAP,
  grant: {},
});

function give(message: object): void {
  down.message(JSON.stringify(message));
  for (const one of decodeDown(down.take())) session.receive(one);
}

function hear(message: UpMessage): void {
  said.push(message);
  if (message.kind === "request")
    give({ kind: "answer", message: { id: message.message.id, type: "RAW", value: null } });
  else if (message.kind === "started") {
    down.call(1, monotonicNow() + 5000, "createNetwork", 0, ['"n"', "{}", "false"]);
    for (const one of decodeDown(down.take())) session.receive(one);
  } else parentPort?.postMessage({ answered, said, cells } satisfies WarmedUp);
}

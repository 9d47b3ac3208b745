/**
 * The perimeter of the worker's realm: the only file that touches Node's worker threads. Piscina loads it (bundled as
 * bootstrap.cjs) before any task, and calls its default export once: an endless task, one plugin's life.
 */
import { MessagePort, parentPort, threadId } from "node:worker_threads";
import { monotonicNow } from "../common/clock.js";
import { BROKEN_STREAM, type FrameCount, type StreamGrant } from "../isolation/worker-streams.js";
import { decodeDown, routeHeader } from "../protocol/frame.js";
import { CELL, type DownMessage, PROTOCOL_VERSION } from "../protocol/messages.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import { WORKER } from "./limits.js";
import { lockdownRealm } from "./lockdown.js";
import { Outbox } from "./outbox.js";
import { loadStreams, OwnStream } from "./own-stream.js";
import { runSession, type WorkerSession } from "./session.js";
import { warmUp } from "./warm-up.js";

/** The task's data, from the launcher. */
interface WorkerTask {
  readonly port: MessagePort;
  readonly cell: SharedArrayBuffer;
  readonly route: number;
  /** True if no request is waiting for it yet. */
  readonly ahead: boolean;
  /** True if it will be given a stream of its own. */
  readonly streams: boolean;
}

/**
 * Captures Piscina's own port, which would be a second, raw way into the host. Piscina listens on it right after it has
 * loaded this file, which is the moment to capture it.
 */
const piscinaPorts: MessagePort[] = [];
const { on } = MessagePort.prototype;
Object.defineProperty(MessagePort.prototype, "on", {
  configurable: true,
  writable: true,
  value(this: MessagePort, ...args: Parameters<typeof on>) {
    delete (MessagePort.prototype as { on?: unknown }).on;
    if (this !== parentPort) piscinaPorts.push(this);
    return Reflect.apply(this.on, this, args);
  },
});

const realm = lockdownRealm();

/** Runs one plugin. Never resolves: a worker is not reused. */
export default function task({ port, cell, route, ahead, streams }: WorkerTask): Promise<never> {
  const words = new Int32Array(cell);
  const header = routeHeader(route);
  let stream: OwnStream | undefined;
  const outbox = new Outbox(header, (frame) => {
    if (stream === undefined) port.postMessage(frame);
    else stream.send(frame);
  });
  let begun = false;
  let session: WorkerSession | undefined;
  const open = (): WorkerSession =>
    runSession({
      realm,
      outbox,
      running: (id) => Atomics.store(words, CELL.running, id),
      started: (id) => Atomics.store(words, CELL.started, id),
      now: monotonicNow,
      onBegin() {
        begun = true;
        for (const one of piscinaPorts) one.close();
        parentPort?.close();
      },
    });
  const receive = (frame: string): void => {
    outbox.received();
    session ??= open();
    const messages = decodeDown(frame);
    for (let at = 0; at < messages.length; at++) session.receive(messages[at] as DownMessage);
  };
  port.on("message", (data: string | StreamGrant | FrameCount) => {
    if (typeof data === "string") receive(data);
    else if ("frames" in data) stream?.expect(data.frames);
    else stream = new OwnStream(data, { header, frame: receive, broken: () => port.postMessage(BROKEN_STREAM) });
  });
  process.on("uncaughtException", (error, origin) => {
    if (begun) session?.crashed(error, origin);
    if (begun && stream !== undefined) stream.last(() => process.exit(1));
    else process.exit(1);
  });
  outbox.push({ kind: "hello", protocol: PROTOCOL_VERSION, runtime: RUNTIME_VERSION, thread: threadId });
  // It may be taken before it is ready; the plugin's frames then arrive at once.
  if (ahead)
    setTimeout(() => {
      if (streams) loadStreams();
      if (session === undefined)
        warmUp((options) => runSession({ realm, now: monotonicNow, ...options })).catch(() => {});
    }, WORKER.warmUpMs);
  return new Promise<never>(() => {});
}

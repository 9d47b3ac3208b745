/**
 * Entry point of a host process: worker threads, held by Piscina as in the platform's own process, reached through the stream
 * on descriptor 3. Frames are forwarded by their routing header, without decoding; the process ends when the stream does.
 */
import { Socket } from "node:net";
import { routeHeader } from "../protocol/frame.js";
import { LIMITS } from "../protocol/limits.js";
import type { ControlDown, ControlUp } from "./control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import { sendProfile } from "./host-profiles.js";
import { WALLS } from "./limits.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";
import { ThreadLauncher } from "./thread-launcher.js";
import type { ThreadLink } from "./thread-link.js";

/** One worker, and what has been reported of it. */
interface Tenant {
  readonly link: ThreadLink;
  /** True until it has answered the last frame. */
  waiting: boolean;
  running: number;
  started: number;
}

/** Drops all further frames of a worker that has posted something that is not its own frame. */
const IGNORED = (): void => {};

const stream = new Socket({ fd: 3, readable: true, writable: true });
const threads = new ThreadLauncher();
const tenants = new Map<string, Tenant>();
/** The stream's key arrives first, before any worker exists that could read it. */
let key = Buffer.alloc(0);
let up: Seal | undefined;
let down: Seal | undefined;
let corked = false;
/** True while the cells are checked periodically. */
let looking = false;

function write(text: string): void {
  if (!corked) {
    corked = true;
    stream.cork();
    process.nextTick(() => {
      corked = false;
      stream.uncork();
    });
  }
  if (up !== undefined) stream.write(up(frameBytes(text)));
}

function tell(message: ControlUp): void {
  write(`${CONTROL_HEADER}${JSON.stringify(message)}`);
}

async function open(id: number, memoryMb: number, alone: boolean): Promise<void> {
  let link: ThreadLink;
  try {
    if (alone) threads.keepNoSpares();
    link = await threads.launch({ plugin: "-", memoryMb });
  } catch (error) {
    tell({ kind: "failed", id, why: error instanceof Error ? error.message : "no worker became ready" });
    return;
  }
  const { route } = link;
  const header = routeHeader(route);
  const tenant: Tenant = { link, waiting: false, running: 0, started: 0 };
  tenants.set(header, tenant);
  link.onFrame = (data) => {
    tenant.waiting = false;
    // Forwarded unread; only the size and the routing header, which must be the worker's own, are checked.
    if (typeof data === "string" && data.length <= LIMITS.frameChars && data.startsWith(header)) write(data);
    else {
      link.onFrame = IGNORED;
      tell({ kind: "foreign", route });
    }
  };
  link.onEnd = ({ how, detail }) => {
    tenants.delete(header);
    const told = (): void => tell({ kind: "ended", route, how: how === "process" ? "exit" : how, detail });
    // A killed worker is gone only when its thread is: inside a native call that can take long.
    if (how === "killed") void link.exited.then(told);
    else told();
  };
  tell({ kind: "opened", id, route });
}

/** Kills a worker. A thread inside one long native call ends only when the call returns; the process does not wait that long. */
function kill(route: number): void {
  const tenant = tenants.get(routeHeader(route));
  if (tenant === undefined) return;
  tenant.link.kill("ended by the platform");
  const stuck = setTimeout(() => process.exit(1), WALLS.stuckMs);
  void tenant.link.exited.then(() => clearTimeout(stuck));
}

/** Reports the cells of workers that have not answered, since they may be blocked. Returns true while there are any. */
function tellCells(): boolean {
  let waiting = false;
  for (const tenant of tenants.values()) {
    if (!tenant.waiting) continue;
    waiting = true;
    const { route, cell } = tenant.link;
    const running = cell.running();
    const started = cell.started();
    if (running === tenant.running && started === tenant.started) continue;
    tenant.running = running;
    tenant.started = started;
    tell({ kind: "cell", route, running, started });
  }
  return waiting;
}

function look(): void {
  looking = tellCells();
  if (looking) setTimeout(look, WALLS.cellMs);
}

function control(message: ControlDown): void {
  switch (message.kind) {
    case "warm":
      threads.warm(message.memoryMb);
      return;
    case "open":
      void open(message.id, message.memoryMb, message.alone);
      return;
    case "kill":
      kill(message.route);
      return;
    case "profile":
      void sendProfile(tenants.get(routeHeader(message.route))?.link, message, tell);
      return;
    case "ping":
      // A ping asks for the current state.
      tellCells();
      tell({ kind: "pong", id: message.id });
  }
}

/** Handles a frame from the platform. */
function receive(header: string, text: string): void {
  if (header === CONTROL_HEADER) {
    control(JSON.parse(text.slice(header.length)) as ControlDown);
    return;
  }
  const tenant = tenants.get(header);
  if (tenant === undefined) return;
  tenant.link.send(text);
  tenant.waiting = true;
  if (looking) return;
  looking = true;
  setTimeout(look, WALLS.cellMs);
}

const reader = new FrameReader(Number.MAX_SAFE_INTEGER, { frame: receive, violation: () => process.exit(1) });

stream.on("data", (chunk: Buffer) => {
  if (down !== undefined) {
    reader.push(down(chunk));
    return;
  }
  const rest = chunk.subarray(KEY_BYTES - key.length);
  key = Buffer.concat([key, chunk.subarray(0, KEY_BYTES - key.length)]);
  if (key.length < KEY_BYTES) return;
  up = streamSeal(key, "up");
  down = streamSeal(key, "down");
  key.fill(0);
  tell({ kind: "ready" });
  reader.push(down(rest));
});
stream.on("error", () => process.exit(0));
stream.on("close", () => process.exit(0));
stream.on("end", () => process.exit(0));
setInterval(() => {
  if (tenants.size === 0) return;
  tell({ kind: "busy", workers: [...tenants.values()].map(({ link }) => [link.route, Math.round(link.busyMs)]) });
}, WALLS.busyMs);

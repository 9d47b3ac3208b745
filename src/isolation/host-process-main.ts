/**
 * What runs in a host process: worker threads, held by Piscina as in the platform's own process, and the stream on
 * descriptor 3 they are reached by. Frames are passed on by their routing header, undecoded. It ends when the stream does.
 */
import { Socket } from "node:net";
import { routeHeader } from "../protocol/frame.js";
import { LIMITS, WALLS } from "../protocol/limits.js";
import type { ControlDown, ControlUp } from "./control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";
import { ThreadLauncher } from "./thread-launcher.js";
import type { ThreadLink } from "./thread-link.js";

/** One worker, and what has been told of it. */
interface Tenant {
  readonly link: ThreadLink;
  /** True while it has not answered the last frame. */
  waiting: boolean;
  running: number;
  started: number;
}

/** Of one that has posted what is no frame of its own, nothing more is passed on. */
const IGNORED = (): void => {};

const stream = new Socket({ fd: 3, readable: true, writable: true });
const threads = new ThreadLauncher();
const tenants = new Map<string, Tenant>();
/** The stream's key comes first, before there is a worker that could read it along the way. */
let key = Buffer.alloc(0);
let up: Seal | undefined;
let down: Seal | undefined;
let corked = false;
/** True while the cells are looked at from time to time. */
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
    // A frame is passed on unread; only whose it says it is, and its size, are looked at.
    if (typeof data === "string" && data.length <= LIMITS.frameChars && data.startsWith(header)) write(data);
    else {
      link.onFrame = IGNORED;
      tell({ kind: "foreign", route });
    }
  };
  link.onEnd = ({ how, detail }) => {
    tenants.delete(header);
    const told = (): void => tell({ kind: "ended", route, how: how === "process" ? "exit" : how, detail });
    // One that was killed has gone when its thread has: inside a native call that can take long.
    if (how === "killed") void link.exited.then(told);
    else told();
  };
  tell({ kind: "opened", id, route });
}

/** A thread inside one long native call ends when that returns: the process does not wait for it for ever. */
function kill(route: number): void {
  const tenant = tenants.get(routeHeader(route));
  if (tenant === undefined) return;
  tenant.link.kill("ended by the platform");
  const stuck = setTimeout(() => process.exit(1), WALLS.stuckMs);
  void tenant.link.exited.then(() => clearTimeout(stuck));
}

/** Tells the cells of workers that have not answered: they may be blocked. True while there are any. */
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
    case "ping":
      // Whoever asks wants to know what is so now.
      tellCells();
      tell({ kind: "pong", id: message.id });
  }
}

/** A frame of the platform's. */
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

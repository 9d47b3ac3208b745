/**
 * Entry point of a host process: worker threads, held by Piscina as in the platform's own process. The platform opens and ends
 * them by control messages on descriptor 3, and speaks to each over a stream of its own; the process ends when descriptor 3 does.
 */
import { createCipheriv } from "node:crypto";
import { Socket } from "node:net";
import { routeHeader } from "../protocol/frame.js";
import type { ControlDown, ControlUp } from "./control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import { HostProfiles } from "./host-profiles.js";
import { WALLS } from "./limits.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";
import { ThreadLauncher } from "./thread-launcher.js";
import type { ThreadLink } from "./thread-link.js";
import { BROKEN_STREAM, FIRST_SLOT, streamGrant } from "./worker-streams.js";

/** One worker, and what has been reported of its cell. */
interface Tenant {
  readonly link: ThreadLink;
  running: number;
  started: number;
}

/** Drops all further posts of a worker that has posted something. */
const IGNORED = (): void => {};

const stream = new Socket({ fd: 3, readable: true, writable: true });
const threads = new ThreadLauncher({ streams: true });
/** The workers' descriptors. */
const held: Socket[] = [];
const tenants = new Map<string, Tenant>();
const profiles = new HostProfiles(tell);
/** The stream's key arrives first, before any worker exists that could read it. */
let key = Buffer.alloc(0);
let up: Seal | undefined;
let down: Seal | undefined;

function tell(message: ControlUp): void {
  if (up !== undefined) stream.write(up(frameBytes(`${CONTROL_HEADER}${JSON.stringify(message)}`)));
}

async function open({ id, memoryMb, alone, slot, key }: Extract<ControlDown, { kind: "open" }>): Promise<void> {
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
  tenants.set(header, { link, running: 0, started: 0 });
  link.onFrame = (data) => {
    link.onFrame = IGNORED;
    if (data === BROKEN_STREAM) abandon("something in it has read, written or closed a worker's stream");
    else tell({ kind: "foreign", route });
  };
  link.onEnd = ({ how, detail }) => {
    tenants.delete(header);
    const told = (): void => tell({ kind: "ended", route, how: how === "process" ? "exit" : how, detail });
    // A killed worker is gone only when its thread is: inside a native call that can take long.
    if (how === "killed") void link.exited.then(told);
    else told();
  };
  link.grantStream(streamGrant(slot, key));
  tell({ kind: "opened", id, route });
}

/**
 * Opens the workers' descriptors, which makes them non-blocking: a worker that reads another's would otherwise block in the kernel,
 * where its thread cannot be terminated.
 */
function neverBlock(slots: number): void {
  for (let slot = 0; slot < slots; slot++) held.push(new Socket({ fd: FIRST_SLOT + slot, readable: false }));
}

/** Ends the process. The platform reports the last line of standard error. */
function abandon(why: string): never {
  console.error(why);
  process.exit(1);
}

/** Kills a worker. A thread inside one long native call ends only when the call returns; the process does not wait that long. */
function kill(route: number): void {
  const tenant = tenants.get(routeHeader(route));
  if (tenant === undefined) return;
  tenant.link.kill("ended by the platform");
  const stuck = setTimeout(() => process.exit(1), WALLS.stuckMs);
  void tenant.link.exited.then(() => clearTimeout(stuck));
}

/** Reports the cells that have changed since they were last reported. */
function tellCells(): void {
  for (const tenant of tenants.values()) {
    const { route, cell } = tenant.link;
    const running = cell.running();
    const started = cell.started();
    if (running === tenant.running && started === tenant.started) continue;
    tenant.running = running;
    tenant.started = started;
    tell({ kind: "cell", route, running, started });
  }
}

function control(message: ControlDown): void {
  switch (message.kind) {
    case "warm":
      neverBlock(message.slots);
      threads.warm(message.memoryMb);
      return;
    case "open":
      void open(message);
      return;
    case "kill":
      kill(message.route);
      return;
    case "count":
      tenants.get(routeHeader(message.route))?.link.count({ frames: message.frames });
      return;
    case "cells":
      tellCells();
      return;
    case "profile":
      void profiles.send(tenants.get(routeHeader(message.route))?.link, message);
      return;
    case "stopProfile":
      profiles.stop(message.id);
      return;
    case "ping":
      tellCells();
      tell({ kind: "pong", id: message.id });
  }
}

const reader = new FrameReader(
  Number.MAX_SAFE_INTEGER,
  {
    frame: (header, text) => control(JSON.parse(text.slice(header.length)) as ControlDown),
    violation: () => process.exit(1),
  },
  CONTROL_HEADER,
);

stream.on("data", (chunk: Buffer) => {
  if (down !== undefined) {
    reader.push(down(chunk));
    return;
  }
  const rest = chunk.subarray(KEY_BYTES - key.length);
  key = Buffer.concat([key, chunk.subarray(0, KEY_BYTES - key.length)]);
  if (key.length < KEY_BYTES) return;
  up = streamSeal(key, "up", createCipheriv);
  down = streamSeal(key, "down", createCipheriv);
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

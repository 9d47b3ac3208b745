/** One host process, seen from the platform: started behind its wall, spoken to over descriptor 3, watched, ended. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { routeHeader } from "../protocol/frame.js";
import { WALLS } from "../protocol/limits.js";
import { type ControlDown, type ControlUp, readControlUp } from "./control.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import type { LinkEnd } from "./link.js";
import { cpuMs, residentMb } from "./proc.js";
import { type LinkCarrier, ProcessLink } from "./process-link.js";
import { startBehind } from "./walls/start.js";
import type { Wall, WallName } from "./walls/wall.js";

export interface HostProcessOptions {
  readonly wall: Wall;
  /** "dedicated": it will hold one worker. */
  readonly isolation: "process" | "dedicated";
  /** Writable memory, hard; resident memory, watched; in mebibytes. */
  readonly dataMb: number;
  readonly residentMb: number;
  /** Memory class of the worker it makes ready before it is asked. */
  readonly warmMb: number;
  /** Told that it has ended, before those who live there are. */
  readonly ending: (why: string) => void;
}

export class HostProcess implements LinkCarrier {
  readonly isolation: "process" | "dedicated";
  readonly wall: WallName;
  /** Resolves when it can be asked for workers; rejects when it ended first. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, with why. */
  readonly ended: Promise<string>;
  /** Plugins that live here, or are about to. Kept by the launcher. */
  readonly tenants: Map<ProcessLink | symbol, { readonly plugin: string; readonly clean: () => boolean }> = new Map();
  readonly #options: HostProcessOptions;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #links = new Map<string, ProcessLink>();
  readonly #opening = new Map<number, { resolve(link: ProcessLink): void; reject(error: Error): void }>();
  readonly #reader: FrameReader;
  #pid: number | undefined;
  #stderr = "";
  #nextId = 1;
  #frames = 0;
  #bytes = 0;
  #corked = false;
  #pinged: number | undefined;
  #pingAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #why: string | undefined;
  #memory = false;
  #over = false;
  #failed = true;
  #settleReady: { resolve(): void; reject(error: Error): void } | undefined;
  #settleEnded: (why: string) => void = () => {};

  constructor(options: HostProcessOptions) {
    this.#options = options;
    this.isolation = options.isolation;
    this.wall = options.wall.name;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.#child = startBehind(options.wall.command(options.dataMb), { stdout: "ignore", link: true });
    this.#socket = this.#child.stdio[3] as Socket;
    this.#reader = new FrameReader(WALLS.frameBytes, {
      frame: (header, text) => this.#frame(header, text),
      violation: (why) => this.#condemn(`it broke the protocol: ${why}`),
    });
    this.#listen();
    this.#control({ kind: "warm", memoryMb: options.warmMb });
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  /** True when it ended otherwise than by the host's own wish. */
  get failed(): boolean {
    return this.#failed;
  }

  get alive(): boolean {
    return !this.#over && this.#why === undefined;
  }

  /** A worker of a memory class. `alone`: it is the last one here. Rejects when none becomes ready. */
  open(memoryMb: number, alone: boolean): Promise<ProcessLink> {
    if (!this.alive) return Promise.reject(new Error(this.#why ?? "its host process has ended"));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#opening.set(id, { resolve, reject });
      this.#control({ kind: "open", id, memoryMb, alone });
    });
  }

  send(frame: string): void {
    if (this.#over) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frameBytes(frame));
    if (this.#socket.writableLength > WALLS.unreadBytes) this.#condemn("it does not read what it is sent");
  }

  killWorker(route: number): void {
    this.#links.delete(routeHeader(route));
    if (this.isolation === "dedicated") this.kill("its worker was ended by the host");
    else this.#control({ kind: "kill", route });
  }

  /** Ends it and all that it holds on the host's own account. Idempotent. */
  kill(why: string): void {
    if (this.#why !== undefined) return;
    this.#failed = false;
    this.#stop(why);
  }

  /** Ends it because of what it did. */
  #condemn(why: string): void {
    if (this.#why === undefined) this.#stop(why);
  }

  #stop(why: string): void {
    this.#why = why;
    this.#reader.stop();
    this.#child.kill("SIGKILL");
    if (this.#pid !== undefined && this.#pid !== this.#child.pid) signal(this.#pid);
  }

  #listen(): void {
    const child = this.#child;
    const status = child.stdio[4] as Readable;
    if (!this.#options.wall.command(this.#options.dataMb).tellsPid) this.#pid = child.pid;
    let told = "";
    status.setEncoding("utf8").on("data", (part: string) => {
      told = (told + part).slice(0, 4096);
      const pid = /"child-pid": (\d+)/.exec(told)?.[1];
      if (pid === undefined || this.#pid !== undefined) return;
      this.#pid = Number(pid);
      if (this.#why !== undefined) signal(this.#pid);
    });
    child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.#stderr = (this.#stderr + part).slice(0, WALLS.stderrBytes);
    });
    for (const stream of [status, child.stderr, this.#socket]) stream?.on("error", () => {});
    this.#socket.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#reader.push(chunk);
      if (this.#bytes > WALLS.bytesPerTick || this.#frames > WALLS.framesPerTick) this.#breathe();
    });
    const late = setTimeout(() => this.#condemn(`it was not ready within ${WALLS.readyMs} ms`), WALLS.readyMs);
    this.ready.then(
      () => clearTimeout(late),
      () => clearTimeout(late),
    );
    child.once("error", (error) => {
      this.#why ??= error.message;
      this.#end(null, null);
    });
    let done: [number | null, NodeJS.Signals | null] = [null, null];
    child.once("exit", (code, by) => {
      done = [code, by];
      // What it said last stands in the stream; a grandchild that holds the stream open is not waited for.
      setTimeout(() => this.#end(code, by), 200).unref();
    });
    child.once("close", () => this.#end(...done));
    this.#watch = setInterval(() => this.#look(), WALLS.watchMs);
    // A host that is forgotten must not keep its platform's process alive by this alone.
    this.#watch.unref();
  }

  /** Other work has its turn before more of this process's frames are read. */
  #breathe(): void {
    this.#socket.pause();
    setImmediate(() => {
      this.#bytes = 0;
      this.#frames = 0;
      this.#socket.resume();
    });
  }

  #frame(header: string, text: string): void {
    this.#frames++;
    if (header === CONTROL_HEADER) {
      const message = readControlUp(text.slice(header.length));
      if (message === undefined) this.#condemn("it broke the protocol: a control message that is none");
      else this.#told(message);
      return;
    }
    // Of a worker that has just been ended there may be more to come.
    this.#links.get(header)?.received(text);
  }

  #told(message: ControlUp): void {
    switch (message.kind) {
      case "ready":
        this.#settleReady?.resolve();
        this.#settleReady = undefined;
        return;
      case "opened": {
        const header = routeHeader(message.route);
        const opening = this.#opening.get(message.id);
        if (opening === undefined || this.#links.has(header)) {
          this.#condemn("it broke the protocol: a worker nobody asked for");
          return;
        }
        this.#opening.delete(message.id);
        const link = new ProcessLink(message.route, this);
        this.#links.set(header, link);
        opening.resolve(link);
        return;
      }
      case "failed":
        this.#opening.get(message.id)?.reject(new Error(message.why));
        this.#opening.delete(message.id);
        return;
      case "ended": {
        const header = routeHeader(message.route);
        const link = this.#links.get(header);
        this.#links.delete(header);
        link?.ended({ how: message.how, detail: message.detail });
        return;
      }
      case "foreign":
        this.#links.get(routeHeader(message.route))?.received(undefined);
        return;
      case "cell":
        this.#links.get(routeHeader(message.route))?.told(message.running, message.started);
        return;
      case "busy":
        // Of a process of its own the kernel tells, which nobody in it can forge.
        if (this.isolation === "dedicated") return;
        for (const [route, ms] of message.workers) this.#links.get(routeHeader(route))?.toldBusy(ms);
        return;
      case "pong":
        if (message.id === this.#pinged) this.#pinged = undefined;
    }
  }

  /** Is it of proper size, and does its main thread turn? */
  #look(): void {
    const now = performance.now();
    if (this.#pid !== undefined && residentMb(this.#pid) > this.#options.residentMb) {
      this.#memory = true;
      this.#condemn(`its host process grew beyond ${this.#options.residentMb} MiB`);
      return;
    }
    if (this.isolation === "dedicated" && this.#pid !== undefined) {
      for (const link of this.#links.values()) link.toldBusy(cpuMs(this.#pid));
    }
    if (this.#settleReady !== undefined) return;
    if (this.#pinged !== undefined) {
      if (now - this.#pingAt >= WALLS.pongMs) this.#condemn(`its main thread did not turn for ${WALLS.pongMs} ms`);
    } else if (now - this.#pingAt >= WALLS.pingMs) {
      this.#pinged = this.#nextId++;
      this.#pingAt = now;
      this.#control({ kind: "ping", id: this.#pinged });
    }
  }

  #control(message: ControlDown): void {
    this.send(`${CONTROL_HEADER}${JSON.stringify(message)}`);
  }

  #end(code: number | null, by: NodeJS.Signals | null): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    this.#reader.stop();
    this.#socket.destroy();
    for (const stream of this.#child.stdio) stream?.destroy();
    const words = /FATAL ERROR: [^\n]*/.exec(this.#stderr)?.[0] ?? this.#stderr.trim().split("\n").at(-1)?.trim() ?? "";
    const how = by === null ? `exit ${code}` : by;
    const why = this.#why ?? `it ended by itself (${how})${words === "" ? "" : `: ${words.slice(0, 200)}`}`;
    const end: LinkEnd = {
      how: this.#memory && this.tenants.size <= 1 ? "memory" : "process",
      detail: why,
      shared: this.tenants.size > 1,
    };
    this.#options.ending(why);
    this.#settleReady?.reject(new Error(why));
    this.#settleReady = undefined;
    for (const { reject } of this.#opening.values()) reject(new Error(why));
    this.#opening.clear();
    const links = [...this.#links.values()];
    this.#links.clear();
    this.#settleEnded(why);
    for (const link of links) link.ended(end);
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has gone already.
  }
}

/** One host process as the platform sees it: started behind its wall, reached over descriptor 3, watched, terminated. */
import { randomBytes } from "node:crypto";
import { routeHeader } from "../protocol/frame.js";
import { type ControlDown, type ControlUp, readControlUp } from "./control.js";
import { Flow } from "./flow.js";
import { CONTROL_HEADER, FrameReader, frameBytes } from "./host-frames.js";
import { WALLS } from "./limits.js";
import type { LinkEnd } from "./link.js";
import { cpuMs, residentMb } from "./proc.js";
import { type LinkCarrier, ProcessLink } from "./process-link.js";
import { KEY_BYTES, type Seal, streamSeal } from "./stream-seal.js";
import { WalledChild } from "./walled-child.js";
import type { Wall, WallName } from "./walls/wall.js";

export interface HostProcessOptions {
  readonly wall: Wall;
  /** "dedicated": it holds one worker only. */
  readonly isolation: "process" | "dedicated";
  /** Limits on writable memory (hard) and resident memory (watched), in mebibytes. */
  readonly dataMb: number;
  readonly residentMb: number;
  /** Memory class of the worker it prepares before one is requested. */
  readonly warmMb: number;
  /** Called when it has ended, before its tenants are told. */
  readonly ending: (why: string) => void;
}

/** A plugin whose worker is in a host process. */
export interface Tenant {
  readonly plugin: string;
  readonly clean: () => boolean;
  readonly move: () => void;
}

interface Opening {
  resolve(link: ProcessLink): void;
  reject(error: Error): void;
}

export class HostProcess implements LinkCarrier {
  readonly isolation: "process" | "dedicated";
  readonly wall: WallName;
  /** Resolves when it accepts requests for workers; rejects when it ended first. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<string>;
  /** Plugins that run here, or are about to (a symbol), until their workers are truly gone. Maintained by the launcher. */
  readonly tenants: Map<ProcessLink | symbol, Tenant> = new Map();
  readonly #options: HostProcessOptions;
  readonly #child: WalledChild;
  readonly #links = new Map<string, ProcessLink>();
  /** Workers that were terminated and are not gone yet. */
  readonly #leaving = new Map<string, { readonly link: ProcessLink; readonly late: NodeJS.Timeout }>();
  readonly #opening = new Map<number, Opening>();
  readonly #reader: FrameReader;
  readonly #seal: Seal;
  readonly #open: Seal;
  readonly #flow = new Flow();
  #nextId = 1;
  #frames = 0;
  #bytes = 0;
  #corked = false;
  #pinged: number | undefined;
  #residentMb = 0;
  #pingAt = 0;
  #lookedAt = performance.now();
  /** Pings for `passedOn` that await their pong, by id. */
  readonly #passing = new Map<number, () => void>();
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
    this.#child = new WalledChild(options.wall.command(options.dataMb));
    const key = randomBytes(KEY_BYTES);
    this.#seal = streamSeal(key, "down");
    this.#open = streamSeal(key, "up");
    this.#reader = new FrameReader(WALLS.frameBytes, {
      frame: (header, text) => this.#frame(header, text),
      violation: (why) => this.#condemn(`it broke the protocol: ${why}, which its main thread did not send`),
    });
    this.#child.link.write(key);
    this.#listen();
    this.#control({ kind: "warm", memoryMb: options.warmMb });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its resident memory at the last check, in mebibytes. */
  get residentMb(): number {
    return this.#residentMb;
  }

  /** True unless the host itself ended it. */
  get failed(): boolean {
    return this.#failed;
  }

  get alive(): boolean {
    return !this.#over && this.#why === undefined;
  }

  /** Opens a worker of a memory class. `alone`: it is the last one here. Rejects when none becomes ready. */
  open(memoryMb: number, alone: boolean): Promise<ProcessLink> {
    if (!this.alive) return Promise.reject(new Error(this.#why ?? "its host process has ended"));
    const id = this.#nextId++;
    return new Promise<ProcessLink>((resolve, reject) => {
      this.#opening.set(id, { resolve, reject });
      this.#control({ kind: "open", id, memoryMb, alone });
      setTimeout(() => {
        if (this.#opening.has(id)) this.#condemn(`it gave no worker within ${WALLS.openMs} ms`);
      }, WALLS.openMs).unref();
    });
  }

  send(frame: string): void {
    if (this.#over) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#child.link.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#child.link.uncork();
      });
    }
    this.#child.link.write(this.#seal(frameBytes(frame)));
    if (this.#child.link.writableLength > WALLS.unreadBytes) this.#condemn("it does not read what it is sent");
  }

  passedOn(): Promise<void> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      this.#passing.set(id, resolve);
      this.#control({ kind: "ping", id });
    });
  }

  /** Lowers its priority from now on: the plugin that runs here is known to misbehave. */
  giveWay(): void {
    this.#child.giveWay();
  }

  /** Returns whether a plugin may move in: nothing is stuck, and all tenants have the same record as it has. */
  suits(clean: boolean): boolean {
    return this.#leaving.size === 0 && [...this.tenants.values()].every((tenant) => tenant.clean() === clean);
  }

  killWorker(route: number): void {
    const header = routeHeader(route);
    const link = this.#links.get(header);
    this.#links.delete(header);
    if (this.isolation === "dedicated") this.kill("its worker was ended by the host");
    else if (link !== undefined && this.alive) {
      this.#control({ kind: "kill", route });
      const ms = WALLS.stuckMs + WALLS.pongMs;
      const late = setTimeout(
        () => this.#condemn(`a worker that was ended was still there after ${ms} ms`),
        ms,
      ).unref();
      this.#leaving.set(header, { link, late });
      setTimeout(() => {
        if (this.#leaving.has(header) && this.alive) this.#vacate();
      }, WALLS.leavingMs).unref();
    }
  }

  /** Moves all tenants: a terminated worker still runs native code at their expense, and may take the whole process along. */
  #vacate(): void {
    for (const { move } of this.residents()) move();
  }

  /** Terminates it, with everything in it, by the host's decision. Idempotent. */
  kill(why: string): void {
    if (!this.alive) return;
    this.#failed = false;
    this.#stop(why);
  }

  /** Terminates it for something it did. */
  #condemn(why: string): void {
    if (this.alive) this.#stop(why);
  }

  #stop(why: string): void {
    this.#why = why;
    this.#reader.stop();
    this.#child.kill();
  }

  #listen(): void {
    const { link } = this.#child;
    link.on("data", (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#reader.push(this.#open(chunk));
      this.#spend("bytes", chunk.length);
      if (this.#bytes > WALLS.bytesPerTick || this.#frames > WALLS.framesPerTick) this.#breathe();
    });
    // A process that ends closes its stream first; one that runs on without a stream is useless.
    link.once("end", () => {
      setTimeout(() => this.#condemn("it closed its stream"), WALLS.closedMs).unref();
    });
    const late = setTimeout(() => this.#condemn(`it was not ready within ${WALLS.readyMs} ms`), WALLS.readyMs);
    const ready = (): void => clearTimeout(late);
    this.ready.then(ready, ready);
    this.#child.onEnd = (how) => this.#end(how);
    this.#watch = setInterval(() => this.#look(), WALLS.watchMs);
    // This timer alone must not keep the platform's process alive for a host that nothing else uses.
    this.#watch.unref();
  }

  /** Lets the event loop turn to other work before more of this process's frames are read. */
  #breathe(): void {
    this.#child.link.pause();
    setImmediate(() => {
      this.#bytes = 0;
      this.#frames = 0;
      this.#child.link.resume();
    });
  }

  #spend(what: "bytes" | "strays" | "controls", amount: number): void {
    const why = this.#flow.spend(what, amount);
    if (why !== undefined) this.#condemn(why);
  }

  #frame(header: string, text: string): void {
    this.#frames++;
    if (header === CONTROL_HEADER) {
      this.#spend("controls", 1);
      const message = readControlUp(text.slice(header.length));
      if (message === undefined) this.#condemn("it broke the protocol: a control message that is none");
      else this.#told(message);
      return;
    }
    const link = this.#links.get(header);
    // A worker that was just terminated may still have frames in flight.
    if (link === undefined) this.#spend("strays", 1);
    else link.received(text);
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
        if (opening === undefined || this.#links.has(header) || this.#leaving.has(header)) {
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
        const leaving = this.#leaving.get(header);
        clearTimeout(leaving?.late);
        this.#leaving.delete(header);
        const link = this.#links.get(header) ?? leaving?.link;
        this.#links.delete(header);
        link?.ended({ how: message.how, detail: message.detail });
        link?.left();
        return;
      }
      case "foreign":
        this.#links.get(routeHeader(message.route))?.received(undefined);
        return;
      case "cell":
        this.#links.get(routeHeader(message.route))?.told(message.running, message.started);
        return;
      case "busy":
        // The kernel reports a dedicated process's CPU time, which nothing inside it can forge.
        if (this.isolation === "dedicated") return;
        for (const [route, ms] of message.workers) this.#links.get(routeHeader(route))?.toldBusy(ms);
        return;
      case "pong":
        if (message.id === this.#pinged) this.#pinged = undefined;
        this.#passing.get(message.id)?.();
        this.#passing.delete(message.id);
    }
  }

  /** Checks its resident memory, and that its main thread runs. */
  #look(): void {
    const now = performance.now();
    this.#residentMb = this.pid === undefined ? 0 : residentMb(this.pid);
    if (this.#residentMb > this.#options.residentMb) {
      this.#memory = true;
      this.#condemn(`its host process grew beyond ${this.#options.residentMb} MiB`);
      return;
    }
    if (this.isolation === "dedicated" && this.pid !== undefined) {
      for (const link of this.#links.values()) link.toldBusy(cpuMs(this.pid));
    }
    // While the platform's own loop was stalled, replies may have arrived that are not read yet.
    const stood = now - this.#lookedAt - WALLS.watchMs;
    this.#lookedAt = now;
    if (this.#settleReady !== undefined) return;
    if (this.#pinged !== undefined) {
      if (stood > WALLS.watchMs) this.#pingAt += stood;
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

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    for (const { late } of this.#leaving.values()) clearTimeout(late);
    this.#reader.stop();
    const why = this.#why ?? `it ended by itself (${how})`;
    const shared = this.residents().length > 1;
    const end: LinkEnd = { how: this.#memory && !shared ? "memory" : "process", detail: why, shared };
    this.#options.ending(why);
    this.#settleReady?.reject(new Error(why));
    this.#settleReady = undefined;
    for (const { reject } of this.#opening.values()) reject(new Error(why));
    this.#opening.clear();
    this.#passing.clear();
    const links = [...this.#links.values()];
    this.#links.clear();
    this.#settleEnded(why);
    for (const link of links) link.ended(end);
  }

  /** Returns the plugins whose code has run here and may still run, each once. */
  residents(): readonly Tenant[] {
    const found = new Map<string, Tenant>();
    for (const [key, tenant] of this.tenants) if (typeof key !== "symbol") found.set(tenant.plugin, tenant);
    return [...found.values()];
  }
}

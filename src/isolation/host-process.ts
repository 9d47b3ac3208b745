/** One host process as the platform sees it: started behind its wall, reached over descriptor 3, watched, terminated. */
import { routeHeader } from "../protocol/frame.js";
import type { ControlDown, ControlUp } from "./control.js";
import { HostStream } from "./host-stream.js";
import { WALLS } from "./limits.js";
import type { LinkEnd } from "./link.js";
import { type LinkCarrier, ProcessLink } from "./process-link.js";
import { ProfileRequests } from "./profile-requests.js";
import type { ProfileKind } from "./profiling.js";
import { WalledChild } from "./walled-child.js";
import type { Wall, WallName } from "./walls/wall.js";
import { Watchdog } from "./watchdog.js";

export interface HostProcessOptions {
  readonly wall: Wall;
  /** "dedicated": it holds one worker only. */
  readonly isolation: "process" | "dedicated";
  /** Limits on writable memory (hard) and resident memory (watched), in mebibytes. */
  readonly dataMb: number;
  readonly residentMb: number;
  /** Memory class of the worker it prepares before one is requested. */
  readonly warmMb: number;
  /** Called when it has ended, before its links are told. Returns whether several plugins ran in it. */
  readonly ending: (why: string) => boolean;
  /** Called when a terminated worker still runs native code: at its neighbours' expense, and it may end the whole process. */
  readonly lingering?: () => void;
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
  readonly #options: HostProcessOptions;
  readonly #child: WalledChild;
  readonly #links = new Map<string, ProcessLink>();
  /** Workers that were terminated and are not gone yet. */
  readonly #leaving = new Map<string, { readonly link: ProcessLink; readonly late: NodeJS.Timeout }>();
  readonly #opening = new Map<number, Opening>();
  readonly #stream: HostStream;
  readonly #watchdog: Watchdog;
  readonly #profiles = new ProfileRequests();
  #nextId = 1;
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
    this.#child.onEnd = (how) => this.#end(how);
    this.#stream = new HostStream(this.#child.link, {
      frame: (header, text) => this.#frame(header, text),
      control: (message) => this.#told(message),
      violation: (why) => this.#fail(why),
    });
    const late = setTimeout(() => this.#fail(`it was not ready within ${WALLS.readyMs} ms`), WALLS.readyMs);
    const ready = (): void => clearTimeout(late);
    this.ready.then(ready, ready);
    this.#watchdog = this.#watch(options.residentMb);
    this.#control({ kind: "warm", memoryMb: options.warmMb });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its resident memory at the last check, in mebibytes. */
  get residentMb(): number {
    return this.#watchdog.residentMb;
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
        if (this.#opening.has(id)) this.#fail(`it did not open a worker within ${WALLS.openMs} ms`);
      }, WALLS.openMs).unref();
    });
  }

  /** Profiles the worker behind `route`. Resolves with what the process sent, unread. */
  profile(route: number, of: ProfileKind, ms: number): Promise<string> {
    if (!this.alive) return Promise.reject(new Error(this.#why ?? "its host process has ended"));
    return this.#profiles.ask(ms, (id) => this.#control({ kind: "profile", id, route, of, ms }));
  }

  send(frame: string): void {
    if (!this.#over) this.#stream.send(frame);
  }

  passedOn(): Promise<void> {
    return this.#watchdog.replied();
  }

  /** Lowers its priority from now on: the plugin that runs here is known to misbehave. */
  giveWay(): void {
    this.#child.giveWay();
  }

  /** True while a terminated worker has not exited. */
  get leaving(): boolean {
    return this.#leaving.size > 0;
  }

  killWorker(route: number): void {
    const header = routeHeader(route);
    const link = this.#links.get(header);
    this.#links.delete(header);
    if (this.isolation === "dedicated") this.kill("its worker was terminated by the host");
    else if (link !== undefined && this.alive) {
      this.#control({ kind: "kill", route });
      const ms = WALLS.stuckMs + WALLS.pongMs;
      const late = setTimeout(() => this.#fail(`a terminated worker was still running after ${ms} ms`), ms).unref();
      this.#leaving.set(header, { link, late });
      setTimeout(() => {
        if (this.#leaving.has(header) && this.alive) this.#options.lingering?.();
      }, WALLS.leavingMs).unref();
    }
  }

  /** Terminates it, with everything in it, by the host's decision. Idempotent. */
  kill(why: string): void {
    if (!this.alive) return;
    this.#failed = false;
    this.#stop(why);
  }

  /** Terminates it for a fault of its own. */
  #fail(why: string): void {
    if (this.alive) this.#stop(why);
  }

  #stop(why: string): void {
    this.#why = why;
    this.#stream.stop();
    this.#child.kill();
  }

  #watch(limitMb: number): Watchdog {
    const child = this.#child;
    const ready = (): boolean => this.#settleReady === undefined;
    const used = (ms: number): void => {
      for (const link of this.#links.values()) link.toldBusy(ms);
    };
    return new Watchdog(
      {
        get pid() {
          return child.pid;
        },
        get ready() {
          return ready();
        },
        ping: (id) => this.#control({ kind: "ping", id }),
        used: this.isolation === "dedicated" ? used : undefined,
        outgrown: (why) => {
          this.#memory = true;
          this.#fail(why);
        },
        silent: (why) => this.#fail(why),
      },
      limitMb,
    );
  }

  #frame(header: string, text: string): boolean {
    const link = this.#links.get(header);
    link?.received(text);
    return link !== undefined;
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
          this.#fail("it broke the protocol: it opened a worker that was not requested");
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
        this.#watchdog.pong(message.id);
        return;
      case "profile":
        this.#profiles.part(message.id, message.part);
        return;
      case "profiled":
        this.#profiles.done(message.id, message.why);
    }
  }

  #control(message: ControlDown): void {
    if (!this.#over) this.#stream.control(message);
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#watchdog.stop();
    for (const { late } of this.#leaving.values()) clearTimeout(late);
    this.#stream.stop();
    const why = this.#why ?? `it ended by itself (${how})`;
    const shared = this.#options.ending(why);
    const end: LinkEnd = { how: this.#memory && !shared ? "memory" : "process", detail: why, shared };
    this.#settleReady?.reject(new Error(why));
    this.#settleReady = undefined;
    for (const { reject } of this.#opening.values()) reject(new Error(why));
    this.#opening.clear();
    this.#profiles.ended(why);
    const links = [...this.#links.values()];
    this.#links.clear();
    this.#settleEnded(why);
    for (const link of links) link.ended(end);
  }
}

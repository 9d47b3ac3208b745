/** The workers in one host process: opened, each with a stream of its own, told from one another by their routes, terminated. */
import type { Socket } from "node:net";
import { routeHeader } from "../protocol/frame.js";
import { Backlog } from "./backlog.js";
import { CellRequests } from "./cell-requests.js";
import type { ControlDown, ControlUp } from "./control.js";
import type { Intake } from "./intake.js";
import { LeavingWorkers } from "./leaving-workers.js";
import type { LinkEnd } from "./link.js";
import { type Opening, OpeningWorkers } from "./opening-workers.js";
import { type LinkCarrier, ProcessLink } from "./process-link.js";
import { ProfileRequests } from "./profile-requests.js";
import type { ProfileKind } from "./profiling.js";
import type { WallName } from "./walls/wall.js";
import { WorkerSlots } from "./worker-slots.js";
import { WorkerStream } from "./worker-stream.js";

/** What the workers need of their process. */
export interface WorkersHost {
  /** "dedicated": it holds one worker only. */
  readonly isolation: "process" | "dedicated";
  readonly wall: WallName;
  readonly pid: number | undefined;
  readonly residentMb: number;
  readonly alive: boolean;
  readonly intake: Intake;
  control(message: ControlDown): void;
  /** Resolves once its main thread has replied to a ping sent now; never, if it ends first. */
  replied(): Promise<void>;
  /** Called when a terminated worker still runs native code: it slows its neighbours, and may end the whole process. */
  lingering(): void;
  /** Terminates the process by the host's decision. */
  kill(why: string): void;
  /** Terminates the process for a fault of its own. */
  fail(why: string): void;
}

/** Control messages about workers. */
type AboutWorkers = Extract<
  ControlUp,
  { kind: "opened" | "failed" | "ended" | "foreign" | "cell" | "busy" | "profile" | "profiled" }
>;

export class ProcessWorkers implements LinkCarrier {
  readonly #host: WorkersHost;
  /** By their routing headers. */
  readonly #links = new Map<string, ProcessLink>();
  /** Workers that have exited, and whose last frames are being read. */
  readonly #exiting = new WeakSet<ProcessLink>();
  readonly #slots: WorkerSlots;
  readonly #opening: OpeningWorkers;
  readonly #leaving: LeavingWorkers;
  readonly #cells: CellRequests;
  readonly #backlog: Backlog;
  readonly #profiles = new ProfileRequests();

  /** `slots`: how many streams for workers it has. */
  constructor(host: WorkersHost, slots: number) {
    this.#host = host;
    const fail = (why: string): void => host.fail(why);
    const control = (message: ControlDown): void => host.control(message);
    const links = (): Iterable<ProcessLink> => this.#links.values();
    this.#slots = new WorkerSlots(slots, fail);
    const shared = host.isolation === "process";
    this.#opening = new OpeningWorkers({ slots: this.#slots, shared, control, late: fail });
    this.#leaving = new LeavingWorkers({
      lingering: () => {
        if (host.alive) host.lingering();
      },
      stuck: fail,
    });
    this.#cells = new CellRequests(links, () => control({ kind: "cells" }));
    this.#backlog = new Backlog(links);
  }

  /** Called with the platform's ends of the workers' streams, when the process is started. */
  supply(sockets: readonly Socket[]): void {
    this.#slots.supply(sockets);
  }

  get isolation(): "process" | "dedicated" {
    return this.#host.isolation;
  }

  get wall(): WallName {
    return this.#host.wall;
  }

  get pid(): number | undefined {
    return this.#host.pid;
  }

  get residentMb(): number {
    return this.#host.residentMb;
  }

  /** How many can still be opened. */
  get slots(): number {
    return this.#slots.left;
  }

  /** True while a terminated worker has not exited. */
  get leaving(): boolean {
    return this.#leaving.any;
  }

  /** Opens a worker of a memory class. `alone`: it is the last one here. Rejects when none becomes ready. */
  open(memoryMb: number, alone: boolean): Promise<ProcessLink> {
    return this.#opening.open(memoryMb, alone);
  }

  sending(link: ProcessLink): void {
    this.#backlog.check(link);
    this.#cells.sending();
  }

  passedOn(route: number, frames: number | undefined): Promise<void> {
    if (frames !== undefined) this.#host.control({ kind: "count", route, frames });
    return this.#host.replied();
  }

  profile(route: number, of: ProfileKind, ms: number, gone: AbortSignal | undefined): Promise<string> {
    if (!this.#host.alive) return Promise.reject(new Error("its host process has ended"));
    const asked = {
      send: (id: number) => this.#host.control({ kind: "profile", id, route, of, ms }),
      stop: (id: number) => this.#host.control({ kind: "stopProfile", id }),
    };
    return this.#profiles.ask(ms, asked, gone);
  }

  killWorker(route: number): void {
    const header = routeHeader(route);
    const link = this.#links.get(header);
    this.#links.delete(header);
    if (this.isolation === "dedicated") this.#host.kill("its worker was terminated by the host");
    else if (link !== undefined && !this.#exiting.has(link) && this.#host.alive) {
      this.#host.control({ kind: "kill", route });
      this.#leaving.add(header, link);
    }
  }

  failWorker(link: ProcessLink, why: string): void {
    if (this.isolation === "dedicated") {
      this.#host.fail(why);
      return;
    }
    // Where the main thread does not run either, the process is at fault, and the watchdog ends it.
    void this.#host.replied().then(() => {
      this.killWorker(link.route);
      link.ended({ how: "exit", detail: why });
    });
  }

  /** Stores the process's CPU time, which the kernel reports, as that of its only worker. */
  used(ms: number): void {
    for (const link of this.#links.values()) link.toldBusy(ms);
  }

  told(message: AboutWorkers): void {
    switch (message.kind) {
      case "opened":
        this.#opened(message.id, message.route);
        return;
      case "failed":
        this.#opening.take(message.id)?.reject(new Error(message.why));
        return;
      case "ended": {
        const header = routeHeader(message.route);
        this.#leaving.left(header);
        this.#exited(header, { how: message.how, detail: message.detail });
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
      case "profile":
        this.#profiles.part(message.id, message.part);
        return;
      case "profiled":
        this.#profiles.done(message.id, message.why);
    }
  }

  /** Called when the process is being terminated. */
  stop(): void {
    this.#cells.stop();
  }

  /** Called when the process has ended. Returns a function that tells the links. */
  ended(why: string): (end: LinkEnd) => void {
    this.#cells.stop();
    this.#leaving.stop();
    this.#opening.refuseAll(why);
    this.#profiles.ended(why);
    const links = [...this.#links.values()];
    this.#links.clear();
    return (end) => {
      for (const link of links) link.ended(end);
    };
  }

  #opened(id: number, route: number): void {
    const header = routeHeader(route);
    const opening = this.#opening.take(id);
    if (opening === undefined || this.#links.has(header) || this.#leaving.has(header)) {
      const why = "it broke the protocol: it opened a worker that was not requested";
      opening?.reject(new Error(why));
      this.#host.fail(why);
      return;
    }
    opening.resolve(this.#link(route, header, opening));
  }

  #link(route: number, header: string, { socket, key }: Opening): ProcessLink {
    const stream = new WorkerStream({
      socket,
      header,
      key,
      intake: this.#host.intake,
      frame: (text) => link.received(text),
      flooded: (why) => link.fail(why),
      violation: (why) => this.#host.fail(why),
    });
    const link = new ProcessLink(route, this, stream);
    this.#links.set(header, link);
    return link;
  }

  #exited(header: string, end: LinkEnd): void {
    const link = this.#links.get(header);
    if (link === undefined || this.#exiting.has(link)) return;
    this.#exiting.add(link);
    link.exited(end, () => this.#links.delete(header));
  }
}

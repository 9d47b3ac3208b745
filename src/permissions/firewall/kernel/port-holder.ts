/** Holds the ports of one namespace, in a process that is kept running while a port is wanted; after a crash all are bound again. */

import type { OperatorLog } from "../../../common/logger.js";
import { Mutex } from "../../../common/mutex.js";
import { messageOf } from "../../../common/text.js";
import { KeptService } from "../../netlink/kernel/kept-service.js";
import type { ServiceProcess } from "../../netlink/kernel/service-process.js";
import type { Obstacle } from "../backend.js";
import { inUse, notOfHost } from "../errors.js";
import { HOLDER } from "../holder/limits.js";
import { type HeldPort, heldKey } from "../holder/messages.js";
import { holdPort, type Outcome, releasePort, startHolder } from "./holder-process.js";
import { portOwner } from "./port-owner.js";

/** Ports above those that Linux chooses for outgoing connections, and the number of tries. */
const ASIDE = { from: 61_000, tries: 64 } as const;

interface Wanted {
  readonly port: HeldPort;
  /** The process that has bound it. It is held only if that is the present process. */
  by: ServiceProcess | undefined;
  /** The problem that was logged last. */
  told: string | undefined;
}

export class PortHolder {
  readonly #enter: readonly string[];
  readonly #logger: OperatorLog;
  readonly #wanted = new Map<string, Wanted>();
  /** Serializes orders. */
  readonly #mutex = new Mutex();
  readonly #service: KeptService;

  /** `netns`: a path; undefined: the process's own. `enter`: the command that enters it. */
  constructor(netns: string | undefined, enter: readonly string[], logger: OperatorLog) {
    this.#enter = enter;
    this.#logger = logger;
    this.#service = new KeptService({
      mutex: this.#mutex,
      lingerMs: HOLDER.lingerMs,
      start: () => startHolder(netns, (text) => logger.warn({}, `firewall: port holder: ${text}`)),
      needed: () => this.#wanted.size > 0,
      ended: (how, pid) => logger.error({ pid }, `firewall: the port holder ended (${how}); it is started again`),
      mend: () => this.#mend(),
    });
  }

  /** The PID of the process, while it runs. */
  get pid(): number | undefined {
    return this.#service.process?.pid;
  }

  /** Holds a port, or returns why it cannot. Rejects if the process cannot be started. */
  hold(port: HeldPort): Promise<Obstacle | undefined> {
    return this.#mutex.run(async () => {
      const key = heldKey(port);
      const before = this.#wanted.get(key);
      const wanted = before ?? { port, by: undefined, told: undefined };
      const obstacle = await this.#bind(wanted);
      if (!obstacle) this.#wanted.set(key, wanted);
      if (this.#wanted.size === 0) this.#service.linger();
      return obstacle;
    });
  }

  /** Serves a port that another process has bound, over loopback at another number. Resolves with that number; rejects if none is free. */
  async holdAside(port: HeldPort): Promise<number> {
    for (let tries = 0; tries < ASIDE.tries; tries++) {
      const aside = ASIDE.from + Math.floor(Math.random() * (65_536 - ASIDE.from));
      const obstacle = await this.hold({ ...port, aside });
      if (!obstacle) return aside;
    }
    throw new Error(
      `no port from ${ASIDE.from} on is free to serve port ${port.hostPort}/${port.protocol} over loopback`,
    );
  }

  /** Holds ports, now or as soon as possible. Never rejects. */
  keep(ports: readonly HeldPort[]): Promise<void> {
    return this.#mutex.run(async () => {
      for (const port of ports) {
        const key = heldKey(port);
        if (!this.#wanted.has(key)) this.#wanted.set(key, { port, by: undefined, told: undefined });
      }
      await this.#service.mend();
    });
  }

  /** Releases ports. Never rejects: a process that fails here has released all ports. */
  release(ports: readonly HeldPort[]): Promise<void> {
    return this.#mutex.run(async () => {
      for (const port of ports) {
        const key = heldKey(port);
        const by = this.#wanted.get(key)?.by;
        this.#wanted.delete(key);
        if (by && by === this.#service.process) await releasePort(by, port).catch(() => {});
      }
      if (this.#wanted.size === 0) this.#service.linger();
    });
  }

  /** Ends the process if no port is wanted. */
  close(): Promise<void> {
    return this.#service.endIdle();
  }

  async #bind(wanted: Wanted): Promise<Obstacle | undefined> {
    if (wanted.by && wanted.by === this.#service.process) return undefined;
    const process = await this.#service.running();
    const outcome = await holdPort(process, wanted.port);
    if (outcome.code !== undefined) return this.#obstacle(wanted.port, outcome);
    wanted.by = process;
    return undefined;
  }

  async #obstacle(port: HeldPort, { code, host = "" }: Outcome): Promise<Obstacle> {
    if (code === "EADDRINUSE") {
      return { rule: "listener", words: inUse(port, host, await portOwner(this.#enter, port, host)) };
    }
    if (code === "EADDRNOTAVAIL") return { rule: "host-address", words: notOfHost(host) };
    throw new Error(`port ${port.hostPort}/${port.protocol} of ${host} cannot be bound: ${code}`);
  }

  /** Binds wanted ports that are not held; resolves with whether all are. A port that cannot be bound is logged once and tried again. */
  async #mend(): Promise<boolean> {
    let missing = false;
    for (const wanted of this.#wanted.values()) {
      if (wanted.by && wanted.by === this.#service.process) continue;
      const why = await this.#bind(wanted).then(
        (obstacle) => obstacle?.words,
        (error: unknown) => messageOf(error),
      );
      const { hostPort, protocol } = wanted.port;
      if (why === undefined && wanted.told !== undefined)
        this.#logger.info({}, `firewall: port ${hostPort}/${protocol} is held again`);
      if (why !== undefined && why !== wanted.told)
        this.#logger.warn(
          {},
          `firewall: published port ${hostPort}/${protocol} is not held: ${why}; it is tried again`,
        );
      wanted.told = why;
      missing ||= why !== undefined;
      // Without a process the others fail too.
      if (!this.#service.process) break;
    }
    return !missing;
  }
}

/**
 * Holds the ports of one namespace. Its process is started for the first port and ended some time after the last; if it crashes, it is
 * restarted with back-off, and all ports are bound again.
 */

import { RESTARTS } from "../../../common/limits.js";
import type { OperatorLog } from "../../../common/logger.js";
import { Mutex } from "../../../common/mutex.js";
import { messageOf } from "../../../common/text.js";
import type { Obstacle } from "../backend.js";
import { inUse, notOfHost } from "../errors.js";
import { HOLDER } from "../holder/limits.js";
import { type HeldPort, heldKey } from "../holder/messages.js";
import { HolderProcess, type Outcome } from "./holder-process.js";
import { portOwner } from "./port-owner.js";

/** Ports above those that Linux chooses for outgoing connections, and the number of tries. */
const ASIDE = { from: 61_000, tries: 64 } as const;

interface Wanted {
  readonly port: HeldPort;
  /** The process that has bound it. It is held only if that is the present process. */
  by: HolderProcess | undefined;
  /** The problem that was logged last. */
  told: string | undefined;
}

export class PortHolder {
  readonly #netns: string | undefined;
  readonly #enter: readonly string[];
  readonly #logger: OperatorLog;
  readonly #wanted = new Map<string, Wanted>();
  #process: HolderProcess | undefined;
  /** Serializes orders. */
  readonly #mutex = new Mutex();
  #backoff: number = RESTARTS.firstMs;
  #mending: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;

  /** `netns`: a path; undefined: the process's own. `enter`: the command that enters it. */
  constructor(netns: string | undefined, enter: readonly string[], logger: OperatorLog) {
    this.#netns = netns;
    this.#enter = enter;
    this.#logger = logger;
  }

  /** The PID of the process, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Holds a port, or returns why it cannot. Rejects if the process cannot be started. */
  hold(port: HeldPort): Promise<Obstacle | undefined> {
    return this.#mutex.run(async () => {
      const key = heldKey(port);
      const before = this.#wanted.get(key);
      const wanted = before ?? { port, by: undefined, told: undefined };
      const obstacle = await this.#bind(wanted);
      if (!obstacle) this.#wanted.set(key, wanted);
      if (this.#wanted.size === 0) this.#linger();
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
      await this.#mend();
    });
  }

  /** Releases ports. Never rejects: a process that fails here has released all ports. */
  release(ports: readonly HeldPort[]): Promise<void> {
    return this.#mutex.run(async () => {
      for (const port of ports) {
        const key = heldKey(port);
        const by = this.#wanted.get(key)?.by;
        this.#wanted.delete(key);
        if (by && by === this.#process) await by.release(port).catch(() => {});
      }
      if (this.#wanted.size === 0) this.#linger();
    });
  }

  /** Ends the process if no port is wanted. */
  close(): Promise<void> {
    return this.#mutex.run(() => this.#endIdle());
  }

  #linger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => void this.close(), HOLDER.lingerMs).unref();
  }

  async #endIdle(): Promise<void> {
    if (this.#wanted.size > 0) return;
    clearTimeout(this.#lingering);
    clearTimeout(this.#mending);
    this.#mending = undefined;
    const ending = this.#process;
    this.#process = undefined;
    ending?.end();
    await ending?.ended;
  }

  async #bind(wanted: Wanted): Promise<Obstacle | undefined> {
    if (wanted.by && wanted.by === this.#process) return undefined;
    const process = await this.#running();
    const outcome = await process.hold(wanted.port);
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

  async #running(): Promise<HolderProcess> {
    if (this.#process) return this.#process;
    const started = await HolderProcess.start(this.#netns, (text) =>
      this.#logger.warn({}, `firewall: port holder: ${text}`),
    );
    this.#process = started;
    const since = Date.now();
    void started.ended.then((how) => {
      if (this.#process !== started) return;
      this.#process = undefined;
      if (Date.now() - since > RESTARTS.maxMs) this.#backoff = RESTARTS.firstMs;
      if (this.#wanted.size === 0) return;
      this.#logger.error({ pid: started.pid }, `firewall: the port holder ended (${how}); it is started again`);
      this.#later();
    });
    return started;
  }

  /** Binds wanted ports that are not held. A port that cannot be bound is logged once and tried again. */
  async #mend(): Promise<void> {
    let missing = false;
    for (const wanted of this.#wanted.values()) {
      if (wanted.by && wanted.by === this.#process) continue;
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
      if (!this.#process) break;
    }
    if (missing) this.#later();
    else this.#backoff = Math.max(RESTARTS.firstMs, this.#backoff / 2);
  }

  #later(): void {
    if (this.#mending) return;
    this.#mending = setTimeout(() => {
      this.#mending = undefined;
      void this.#mutex.run(() => this.#mend());
    }, this.#backoff).unref();
    this.#backoff = Math.min(this.#backoff * 2, RESTARTS.maxMs);
  }
}

/**
 * The ports of one namespace that are held, whichever process holds them just now. The process is started at the first port and ends
 * some time after the last; one that falls is started afresh, with back-off, and all ports are bound again.
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

interface Wanted {
  readonly port: HeldPort;
  /** The process it is bound in; another one, or undefined: it is not held. */
  by: HolderProcess | undefined;
  /** What was last told of it. */
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

  /** `netns`: a path, or undefined for the process's own; `enter`: the command that enters it. */
  constructor(netns: string | undefined, enter: readonly string[], logger: OperatorLog) {
    this.#netns = netns;
    this.#enter = enter;
    this.#logger = logger;
  }

  /** The id of the process, while there is one. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Holds a port, or says what stands in the way; then it is not held. Rejects when no process can be had. */
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

  /** Wants ports held, now or as soon as that can be. Never rejects. */
  keep(ports: readonly HeldPort[]): Promise<void> {
    return this.#mutex.run(async () => {
      for (const port of ports) {
        const key = heldKey(port);
        if (!this.#wanted.has(key)) this.#wanted.set(key, { port, by: undefined, told: undefined });
      }
      await this.#mend();
    });
  }

  /** Frees ports. Never rejects: a process that fails here holds nothing any more. */
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

  /** Ends the process if it holds nothing; what is still wanted stays held. */
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

  /** Binds what is wanted and not held; what cannot be is told once and tried again. */
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
      // Without a process the others fail alike.
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

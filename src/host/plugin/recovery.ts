/** Recovers a plugin whose worker ended: counts its crashes, has it restarted or moved, and refuses calls while the breaker is open. */
import { DriverError } from "../../driverapi/errors.js";
import { WALLS } from "../../protocol/limits.js";
import type { SessionEnd } from "../../session/outcome.js";
import { Comeback, type Ending } from "./comeback.js";
import type { Generation } from "./generation.js";
import type { Life } from "./life.js";
import type { Prepared } from "./prepare.js";
import { toDriverError } from "./start-error.js";

export class Recovery {
  readonly #life: Life;
  readonly #comeback: Comeback;
  /** Digest of the code whose crashes the breaker counts. */
  #crashing: string | undefined;
  /** Crashes of its own since it was loaded. */
  #faults = 0;
  /** True if its start failed when it was last loaded: a plugin that does not even start is tried alone. */
  #failedStart = false;

  constructor(life: Life) {
    const { context, service } = life;
    this.#life = life;
    this.#comeback = new Comeback({
      breakerOpen: context.breakerOpen,
      wanted: () => service.current === undefined && !life.ended,
      launch: (harsh) => service.launch(harsh),
      restarted: (last) => this.#restarted(last),
      failed: (error) => this.#restartFailed(error),
      givenUp: (last) => this.#giveUp(last),
      again: (last) => this.#tryAgain(last),
    });
  }

  /** Returns true while the plugin has not crashed. */
  get clean(): boolean {
    return this.#faults === 0;
  }

  /** Returns the crashes within the breaker's window of the code with this digest. */
  crashes(sha256: string): number {
    if (this.#failedStart) return WALLS.crashesUntilAlone;
    return sha256 === this.#crashing ? this.#comeback.record : 0;
  }

  /** Ends a pause between restarts early, for a change that waits behind it. */
  hurry(): void {
    this.#comeback.hurry();
  }

  /** Cancels the restart that an open breaker has scheduled. */
  cancel(): void {
    this.#comeback.cancel();
  }

  /** Records that a load has succeeded. Another version starts with a clean record. */
  loaded({ sha256 }: Prepared): void {
    this.#failedStart = false;
    this.#comeback.cancel();
    if (sha256 === this.#crashing) this.#comeback.forgive();
    else this.#comeback.forget();
  }

  /** Records that a load has failed after the new version was started. */
  startFailed(): void {
    this.#failedStart = true;
  }

  /** Handles a worker in service that ended by itself. */
  crashed(end: SessionEnd): void {
    const life = this.#life;
    life.service.end(end.reason);
    life.drivers.pause();
    if (life.ended) return;
    life.state = "restarting";
    // A plugin that shared its process with the cause of the end is not held responsible.
    if (end.innocent !== true) {
      this.#faults++;
      this.#crashing = life.service.prepared?.sha256;
      life.service.crashed();
      this.#comeback.crashed(end.code === "ERR_PLUGIN_BLOCKED");
    }
    life.reports.restarting(end);
    void life.next(() => this.#comeback.run(end));
  }

  /** Starts the same version in another process. If that fails it stays: the end of its process restarts it too. */
  async move(from: Generation): Promise<void> {
    const { id, context, service, ended } = this.#life;
    if (service.current !== from || !from.alive || ended) return;
    try {
      await service.replace(from.prepared);
    } catch (error) {
      context.logger.warn({ plugin: id, err: error }, `plugin "${id}" could not be moved to another process`);
    }
  }

  #restarted(last: Ending): void {
    const life = this.#life;
    life.state = life.draining === undefined ? "running" : "orphaned";
    life.refusal = undefined;
    life.reports.restarted(last);
  }

  #restartFailed(error: unknown): Ending {
    const { id, reports } = this.#life;
    const { code, message } = toDriverError(error, id);
    reports.restartFailed({ code, reason: message });
    return { code, reason: message };
  }

  /** Refuses calls at once until the breaker's time is up. */
  #giveUp(last: Ending): void {
    const life = this.#life;
    const seconds = Math.ceil(life.context.breakerOpen / 1000);
    const why = `it ended too often, last: ${last.reason}; next try in ${seconds} s, or host.reload("${life.id}")`;
    const words = `plugin "${life.id}" is not in service: ${why}`;
    life.state = "unavailable";
    life.refusal = new DriverError("ERR_PLUGIN_UNAVAILABLE", words, { plugin: life.id });
    life.drivers.refuse(why);
    life.reports.unavailable(last, words);
  }

  #tryAgain(last: Ending): void {
    const life = this.#life;
    if (life.state !== "unavailable" || life.stopped) return;
    life.state = "restarting";
    life.drivers.pause();
    void life.next(() => this.#comeback.run(last));
  }
}

/** Recovers a plugin whose worker ended: counts crashes, restarts or moves the worker, refuses calls while the breaker is open. */
import { DriverError } from "../../driverapi/errors.js";
import { WALLS } from "../../isolation/limits.js";
import type { SessionEnd } from "../../session/outcome.js";
import type { PluginContext } from "./plugin-context.js";
import type { PluginWorker } from "./plugin-worker.js";
import type { Prepared } from "./prepare.js";
import { type Ending, Restarter } from "./restarter.js";
import { toDriverError } from "./start-error.js";

export class Recovery {
  readonly #plugin: PluginContext;
  readonly #restarter: Restarter;
  /** Digest of the code whose crashes the breaker counts. */
  #crashing: string | undefined;
  /**
   * Crashes caused by the plugin itself. No load resets them: a plugin that has crashed shares a process only with others that
   * have.
   */
  #faults = 0;
  /** True if its start failed when it was last loaded: a plugin that does not even start is tried alone. */
  #failedStart = false;

  constructor(plugin: PluginContext) {
    const { host, active } = plugin;
    this.#plugin = plugin;
    this.#restarter = new Restarter({
      breakerOpen: host.breakerOpen,
      wanted: () => active.current === undefined && !plugin.ended,
      launch: (strict) => active.launch(strict),
      restarted: (last) => this.#restarted(last),
      failed: (error) => this.#restartFailed(error),
      givenUp: (last) => this.#giveUp(last),
      retry: (last) => this.#tryAgain(last),
    });
  }

  /** Returns true while the plugin has not crashed. */
  get clean(): boolean {
    return this.#faults === 0;
  }

  /** Returns the crashes within the breaker's window of the code with this digest. */
  crashes(sha256: string): number {
    if (this.#failedStart) return WALLS.crashesUntilAlone;
    return sha256 === this.#crashing ? this.#restarter.recentCrashes : 0;
  }

  /** Ends a pause between restarts early, for a change that waits behind it. */
  endPause(): void {
    this.#restarter.endPause();
  }

  /** Cancels the restart that an open breaker has scheduled. */
  cancel(): void {
    this.#restarter.cancel();
  }

  /** Forgets the crashes, and cancels what is scheduled: an operator restarts it. */
  reset(): void {
    this.#restarter.cancel();
    this.#restarter.resetCount();
  }

  /** Tries again, as after a crash, to start a plugin whose start has failed. */
  goOn(last: Ending): void {
    const plugin = this.#plugin;
    this.#restarter.crashed(false);
    plugin.reports.restartFailed(last);
    void plugin.enqueue(() => this.#restarter.run(last));
  }

  /** Records that a load has succeeded. Resets the breaker's count, for other code its history too; `clean` stays as it is. */
  loaded({ sha256 }: Prepared): void {
    this.#failedStart = false;
    this.#restarter.cancel();
    if (sha256 === this.#crashing) this.#restarter.resetCount();
    else this.#restarter.resetHistory();
  }

  /** Records that a load has failed after the new version was started. */
  startFailed(): void {
    this.#failedStart = true;
  }

  /** Handles a worker in service that ended by itself. */
  crashed(end: SessionEnd): void {
    const plugin = this.#plugin;
    plugin.active.end(end.reason);
    if (plugin.ended) return;
    plugin.drivers.pause();
    plugin.state = "restarting";
    // A plugin that shared its process with the cause of the end is not held responsible.
    if (end.innocent !== true) {
      this.#faults++;
      this.#crashing = plugin.active.prepared?.sha256;
      plugin.active.crashed();
      this.#restarter.crashed(end.code === "ERR_PLUGIN_BLOCKED");
    }
    plugin.reports.restarting(end);
    void plugin.enqueue(() => this.#restarter.run(end));
  }

  /** Starts the same version in another process. If that fails, it stays where it is, and is restarted when its process ends. */
  async move(from: PluginWorker): Promise<void> {
    const { id, host, active, ended } = this.#plugin;
    if (active.current !== from || !from.alive || ended) return;
    try {
      await active.replace(from.prepared);
    } catch (error) {
      host.logger.warn({ plugin: id, err: error }, `plugin "${id}" could not be moved to another process`);
    }
  }

  #restarted(last: Ending): void {
    const plugin = this.#plugin;
    plugin.state = plugin.draining === undefined ? "running" : "orphaned";
    plugin.refusal = undefined;
    plugin.reports.restarted(last);
  }

  #restartFailed(error: unknown): Ending {
    const { id, reports } = this.#plugin;
    const { code, message } = toDriverError(error, id);
    reports.restartFailed({ code, reason: message });
    return { code, reason: message };
  }

  /** Refuses calls at once until the breaker's time is up. */
  #giveUp(last: Ending): void {
    const plugin = this.#plugin;
    const seconds = Math.ceil(plugin.host.breakerOpen / 1000);
    const why = `it ended too often, last: ${last.reason}; next try in ${seconds} s, or host.reload("${plugin.id}")`;
    const words = `plugin "${plugin.id}" is not in service: ${why}`;
    plugin.state = "unavailable";
    plugin.refusal = new DriverError("ERR_PLUGIN_UNAVAILABLE", words, { plugin: plugin.id });
    plugin.drivers.refuse(why);
    plugin.reports.unavailable(last, words);
  }

  #tryAgain(last: Ending): void {
    const plugin = this.#plugin;
    if (plugin.state !== "unavailable" || plugin.stopped) return;
    plugin.state = "restarting";
    plugin.drivers.pause();
    void plugin.enqueue(() => this.#restarter.run(last));
  }
}

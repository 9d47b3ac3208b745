/** What an operator does with one plugin while the host runs. It lasts until `start`, or until the host ends. */
import { within } from "../../common/within.js";
import { DriverError } from "../../driverapi/errors.js";
import { HOST } from "../limits.js";
import type { PluginContext } from "./plugin-context.js";
import type { Recovery } from "./recovery.js";
import { toDriverError } from "./start-error.js";

/** Why a plugin is not to run, whatever its files and the policy say. */
export type Hold = "stopped" | "quarantined";

const CODES = { stopped: "ERR_PLUGIN_STOPPED", quarantined: "ERR_PLUGIN_QUARANTINED" } as const;

export class Operator {
  readonly #plugin: PluginContext;
  readonly #recovery: Recovery;
  /** The hold in progress, or the last one. */
  #holding: Promise<void> = Promise.resolve();

  constructor(plugin: PluginContext, recovery: Recovery) {
    this.#plugin = plugin;
    this.#recovery = recovery;
  }

  /** Returns why a held plugin is not loaded; undefined if it is not held. */
  get refusal(): DriverError | undefined {
    const { id, held } = this.#plugin;
    if (held === undefined) return undefined;
    const words = `plugin "${id}" is not in service: ${heldWords(held, id)}`;
    return new DriverError(CODES[held], words, { plugin: id });
  }

  /**
   * Takes it out of service: its calls are refused from now on; networks, links and rules stay. "stopped": pending calls have five
   * seconds; "quarantined": the worker is terminated at once.
   */
  hold(how: Hold): Promise<void> {
    const plugin = this.#plugin;
    if (plugin.held === "quarantined" || plugin.held === how) return this.#holding;
    plugin.held = how;
    plugin.holds++;
    this.#refuse(how);
    if (how === "quarantined") plugin.active.endAll(`an operator ${how} it`);
    this.#holding = plugin.enqueue(async () => {
      // A load that was in progress may have put a worker into service.
      this.#refuse(how);
      if (how === "stopped") await within(HOST.closeMs, plugin.drivers.drained());
      plugin.active.end(`an operator ${how} it`);
      // A crash or another type that it registered meanwhile may have let calls wait.
      this.#refuse(how);
      await plugin.active.closePowers();
      // A quarantine may have followed while calls were pending.
      if (plugin.held !== how) return;
      plugin.state = how;
      plugin.refusal = this.refusal;
      plugin.reports.held(CODES[how], `an operator ${how} it`);
    });
    return this.#holding;
  }

  /** Lifts a hold: calls wait for the load that must follow. */
  lift(): void {
    this.#plugin.held = undefined;
    this.#plugin.drivers.pause();
  }

  /**
   * Ends the worker and starts the same bytes again, with its networks. If they do not start, it is tried again as after a crash,
   * and the error is thrown. Returns false if it does not run: it must be started.
   */
  async restart(): Promise<boolean> {
    const plugin = this.#plugin;
    const { active, drivers } = plugin;
    if (!active.alive || plugin.ended) return false;
    this.#recovery.reset();
    plugin.state = "restarting";
    drivers.pause();
    active.end(RESTARTED);
    try {
      await active.launch(false);
    } catch (error) {
      const failure = toDriverError(error, plugin.id);
      this.#recovery.goOn({ code: failure.code, reason: failure.message });
      throw failure;
    }
    plugin.state = plugin.draining === undefined ? "running" : "orphaned";
    plugin.refusal = undefined;
    plugin.reports.restartedByOperator(RESTARTED);
    return true;
  }

  #refuse(how: Hold): void {
    const plugin = this.#plugin;
    plugin.stopped = true;
    this.#recovery.cancel();
    plugin.drivers.refuse(heldWords(how, plugin.id), CODES[how]);
  }
}

const RESTARTED = "an operator restarted it";

function heldWords(how: Hold, id: string): string {
  return `an operator ${how} it; to start it: bulkhead start ${id}`;
}

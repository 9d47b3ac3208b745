/** What the operator reads and the platform hears of one plugin: a line in the log and an event, always both. */
import type { DriverError, ErrorCode } from "../../driverapi/errors.js";
import type { Counters } from "../calls/conductor.js";
import type { HostContext } from "../context.js";
import type { Ending } from "./comeback.js";
import { awaitsGrant } from "./prepare.js";

export class PluginReports {
  readonly #plugin: string;
  readonly #context: HostContext;
  readonly #counters: Counters;

  constructor(plugin: string, context: HostContext, counters: Counters) {
    this.#plugin = plugin;
    this.#context = context;
    this.#counters = counters;
  }

  loaded(): void {
    this.#context.events.emit("plugin:loaded", { plugin: this.#plugin });
  }

  /** Refused, or waiting for its grant. */
  refused(error: DriverError): void {
    const { events, logger } = this.#context;
    const waits = awaitsGrant(error);
    const event = { plugin: this.#plugin, code: error.code, reason: error.message };
    logger[waits ? "warn" : "error"]({ plugin: this.#plugin, code: error.code }, error.message);
    events.emit(waits ? "plugin:awaiting-grant" : "plugin:refused", event);
  }

  restarting({ code, reason }: Ending): void {
    this.#log("warn", code, `plugin "${this.#plugin}" ended: ${reason}`);
    this.#context.events.emit("plugin:restarting", { plugin: this.#plugin, code, reason });
  }

  restartFailed({ code, reason }: Ending): void {
    this.#log("warn", code, `plugin "${this.#plugin}" could not be restarted: ${reason}`);
  }

  restarted({ code, reason }: Ending): void {
    this.#counters.restarts++;
    this.#context.events.emit("plugin:restarted", { plugin: this.#plugin, code, reason });
  }

  unavailable({ code, reason }: Ending, words: string): void {
    this.#log("error", code, words);
    this.#context.events.emit("plugin:unavailable", { plugin: this.#plugin, code, reason });
  }

  stopped(reason: string): void {
    this.#context.events.emit("plugin:stopped", { plugin: this.#plugin, reason });
  }

  networkLost(nid: string, why: string): void {
    this.#context.logger.error({ plugin: this.#plugin, nid, code: "ERR_REPLAY_FAILED" }, why);
  }

  driverRefused(type: string, { code, message }: DriverError): void {
    const owner = code === "ERR_DRIVER_EXISTS" ? this.#context.registry.owner(type) : undefined;
    this.#context.logger.warn({ plugin: this.#plugin, driver: type, code, ...(owner ? { owner } : {}) }, message);
    this.#context.events.emit("driver:refused", { plugin: this.#plugin, type, code });
  }

  violation(code: ErrorCode, detail: string): void {
    this.#counters.violations++;
    this.#log("error", code, `plugin "${this.#plugin}" broke the protocol: ${detail}`);
    this.#context.events.emit("violation", { plugin: this.#plugin, code, detail });
  }

  #log(level: "warn" | "error", code: string, message: string): void {
    this.#context.logger[level]({ plugin: this.#plugin, code }, message);
  }
}

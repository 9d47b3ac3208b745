/**
 * Reports on one plugin to the operator and the platform: a log line and an event, and an audit line for what an operator may have
 * to account for.
 */
import { type DriverError, type ErrorCode, isKill } from "../../driverapi/errors.js";
import { grantChange } from "../../policy/grant-change.js";
import { DOCUMENT_LIMITS } from "../../policy/limits.js";
import type { AuditEvent } from "../audit/entry.js";
import type { CallReports, Counters } from "../calls/call-context.js";
import type { Tally } from "../calls/tally.js";
import type { HostContext } from "../context.js";
import type { CallTimeoutEvent } from "../events.js";
import { awaitsGrant, type Prepared } from "./prepare.js";
import type { Ending } from "./restarter.js";

/** Reports on the network types that a plugin registers. */
export interface TypeReports {
  /** The plugin now serves networks of `type` that plugin `before` created. */
  typeTaken(type: string, before: string): void;
}

export class PluginReports implements CallReports, TypeReports {
  readonly #plugin: string;
  readonly #context: HostContext;
  readonly #counters: Counters;
  readonly #tally: Tally;
  readonly #running: () => string | undefined;
  /** The version and grant that were last loaded. */
  #inForce: Prepared | undefined;
  /** The last refusal's message: every change of the policy would repeat it. */
  #reported: string | undefined;
  /** Messages about refused drivers, of this load and of the refused one before it. */
  #driverWords: { readonly now: Set<string>; readonly before: ReadonlySet<string> } = noWords();

  /** `running`: returns the sha256 of the version that runs. */
  constructor(
    plugin: string,
    context: HostContext,
    counters: Counters,
    tally: Tally,
    running: () => string | undefined,
  ) {
    this.#plugin = plugin;
    this.#context = context;
    this.#counters = counters;
    this.#tally = tally;
    this.#running = running;
  }

  loaded(prepared: Prepared): void {
    const { effective, sha256, update } = prepared;
    if (update && this.#inForce?.sha256 !== sha256) {
      const words = `plugin "${this.#plugin}" runs with sha256 ${sha256} in place of ${update.pinned}, which the policy pins ("update": "same-grant"): ${update.difference}`;
      this.#context.logger.info({ plugin: this.#plugin, sha256, pinned: update.pinned }, words);
      this.#audit("updated", undefined, words, sha256);
    }
    const change = this.#inForce && grantChange(this.#inForce.effective, effective);
    if (change) this.#audit("grant-changed", undefined, change, sha256);
    this.#inForce = prepared;
    this.#forget();
    this.#context.events.emit("plugin:loaded", { plugin: this.#plugin });
  }

  /** Reports permissions that the operator took away while the plugin ran. */
  revoked(permissions: readonly string[]): void {
    const words = `plugin "${this.#plugin}": revoked at once: ${permissions.join(", ")}`;
    this.#context.logger.warn({ plugin: this.#plugin, permissions }, words);
    this.#audit("revoked", undefined, words, this.#running());
  }

  /** Reports that the plugin was refused, or waits for its grant. `sha256`: of the version refused, if it is known. */
  refused(error: DriverError, sha256: string | undefined): void {
    const { events, logger } = this.#context;
    const waits = awaitsGrant(error);
    const event = { plugin: this.#plugin, code: error.code, reason: error.message };
    const words = `${error.code} ${sha256} ${error.message}`;
    const level = words === this.#reported ? "debug" : waits ? "warn" : "error";
    logger[level]({ plugin: this.#plugin, code: error.code }, error.message);
    if (words !== this.#reported) this.#audit(waits ? "awaiting-grant" : "refused", error.code, error.message, sha256);
    if (words !== this.#reported) this.#tally.failed({ code: error.code, message: error.message });
    this.#reported = words;
    this.#driverWords = { now: new Set(), before: this.#driverWords.now };
    events.emit(waits ? "plugin:awaiting-grant" : "plugin:refused", event);
  }

  restarting({ code, reason }: Ending): void {
    this.#log("warn", code, `plugin "${this.#plugin}" ended: ${reason}`);
    const event = code === "ERR_HOST_PROCESS" ? "aborted" : isKill(code) ? "killed" : "crashed";
    this.#audit(event, code, reason, this.#running());
    if (event === "killed") this.#tally.killed(code);
    this.#tally.failed({ code, message: reason });
    this.#context.events.emit("plugin:restarting", { plugin: this.#plugin, code, reason });
  }

  restartFailed({ code, reason }: Ending): void {
    this.#log("warn", code, `plugin "${this.#plugin}" could not be restarted: ${reason}`);
    this.#audit("restart-failed", code, reason, this.#running());
    this.#tally.failed({ code, message: reason });
  }

  restarted({ code, reason }: Ending): void {
    this.#counters.restarts++;
    this.#audit("restarted", code, reason, this.#running());
    this.#context.events.emit("plugin:restarted", { plugin: this.#plugin, code, reason });
  }

  /** Reports a restart that is not due to a crash, and so is not counted. */
  restartedByOperator(reason: string): void {
    this.#context.events.emit("plugin:restarted", { plugin: this.#plugin, reason });
  }

  /** Reports that an operator has taken it out of service. */
  held(code: ErrorCode, reason: string): void {
    this.#context.events.emit("plugin:stopped", { plugin: this.#plugin, code, reason });
  }

  unavailable({ code, reason }: Ending, words: string): void {
    this.#log("error", code, words);
    this.#audit("breaker-open", code, words, this.#running());
    this.#context.events.emit("plugin:unavailable", { plugin: this.#plugin, code, reason });
  }

  stopped(reason: string): void {
    this.#forget();
    this.#context.events.emit("plugin:stopped", { plugin: this.#plugin, reason });
  }

  networkLost(nid: string, why: string): void {
    this.#context.logger.error({ plugin: this.#plugin, nid, code: "ERR_REPLAY_FAILED" }, why);
    this.#audit("network-lost", "ERR_REPLAY_FAILED", why, this.#running());
  }

  typeTaken(type: string, before: string): void {
    const words = `plugin "${this.#plugin}" takes over type "${type}" and its networks from plugin "${before}", as the policy says (takeTypes)`;
    this.#context.logger.warn({ plugin: this.#plugin, driver: type, before }, words);
    this.#audit("type-taken", undefined, words, this.#running());
  }

  driverRefused(type: string, { code, message }: DriverError, sha256: string): void {
    const { registry } = this.#context;
    const owner = code === "ERR_DRIVER_EXISTS" ? registry.owner(type) : registry.foreignOwner(type, this.#plugin);
    const words = `${type} ${code} ${sha256} ${message}`;
    const again = this.#driverWords.before.has(words);
    const fields = { plugin: this.#plugin, driver: type, code, ...(owner ? { owner } : {}) };
    this.#context.logger[again ? "debug" : "warn"](fields, message);
    if (!again) this.#audit("driver-refused", code, message, sha256);
    const { now } = this.#driverWords;
    if (now.size < DOCUMENT_LIMITS.driversMax) now.add(words);
    this.#context.events.emit("driver:refused", { plugin: this.#plugin, type, code });
  }

  /** Records that one of the plugin's powers refused a request. */
  requestRefused({ code, message }: DriverError, sha256: string): void {
    this.#audit("request-refused", code, message, sha256);
  }

  replyRefused({ code, message }: DriverError): void {
    this.#audit("reply-refused", code, message, this.#running());
  }

  timedOut(event: CallTimeoutEvent, code: ErrorCode): void {
    const { type, method, nid, eid, ms, blocked } = event;
    const ids = [nid, eid].filter((id) => id !== undefined).map((id) => JSON.stringify(id));
    const words = `${type}.${method}(${ids.join(", ")}): ${ms} ms${blocked ? ", its worker is blocked" : ""}`;
    this.#audit("timeout", code, words, this.#running());
    this.#context.events.emit("call:timeout", event);
  }

  throttled(code: ErrorCode, detail: string, sha256: string): void {
    this.#log("warn", code, `plugin "${this.#plugin}" is throttled: ${detail}`);
    this.#audit("throttled", code, detail, sha256);
  }

  violation(code: ErrorCode, detail: string, sha256: string): void {
    this.#counters.violations++;
    this.#log("error", code, `plugin "${this.#plugin}" was terminated for a violation: ${detail}`);
    this.#audit("violation", code, detail, sha256);
    this.#context.events.emit("violation", { plugin: this.#plugin, code, detail });
  }

  /** Forgets which messages have been logged. */
  #forget(): void {
    this.#reported = undefined;
    this.#driverWords = noWords();
  }

  #audit(event: AuditEvent, code: string | undefined, detail: string, sha256: string | undefined): void {
    this.#context.audit.write({ event, plugin: this.#plugin, sha256, code, detail });
  }

  #log(level: "warn" | "error", code: string, message: string): void {
    this.#context.logger[level]({ plugin: this.#plugin, code }, message);
  }
}

function noWords(): { readonly now: Set<string>; readonly before: ReadonlySet<string> } {
  return { now: new Set(), before: new Set() };
}

/** One plugin's parts, and the state that loading, recovery and stopping share. Changes run one after another. */
import type { DriverError } from "../../driverapi/errors.js";
import { type Effective, effectiveGrant } from "../../policy/effective.js";
import type { Counters } from "../calls/call-context.js";
import { Tally } from "../calls/tally.js";
import type { HostContext } from "../context.js";
import { ActiveWorker } from "./active-worker.js";
import { DriverSet } from "./driver-set.js";
import type { PluginState } from "./info.js";
import type { WorkerHooks } from "./plugin-worker.js";
import type { Prepared } from "./prepare.js";
import { PluginReports } from "./reports.js";

export interface PluginContextHooks {
  /** Returns the hooks for a worker of this version. */
  worker(prepared: Prepared): WorkerHooks;
  /** Called after each deleted network. */
  networkGone(): void;
}

export class PluginContext {
  readonly id: string;
  readonly host: HostContext;
  readonly counters: Counters = { calls: 0, errors: 0, timeouts: 0, restarts: 0, violations: 0 };
  readonly tally: Tally = new Tally();
  readonly reports: PluginReports;
  readonly drivers: DriverSet;
  readonly active: ActiveWorker;
  #state: PluginState = "loading";
  /** When the state began, in milliseconds since 1970. */
  since: number = Date.now();
  refusal: DriverError | undefined;
  /** Why it drains, that is, runs until its last network is deleted: its file is gone, or the policy stops it. */
  draining: string | undefined;
  /** True after a stop, until the next start. */
  stopped = false;
  /** Set while an operator has taken it out of service: no load starts it. */
  held: "stopped" | "quarantined" | undefined;
  /** How often one has begun. */
  holds = 0;
  /** Tail of the queue of changes: loads, restarts and stops (FIFO). */
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: string, host: HostContext, hooks: PluginContextHooks) {
    this.id = id;
    this.host = host;
    this.reports = new PluginReports(id, host, this.counters, this.tally, () => this.active.prepared?.sha256);
    this.drivers = new DriverSet({
      plugin: id,
      counters: this.counters,
      tally: this.tally,
      context: host,
      reports: this.reports,
      effective: () => this.#effective(),
      draining: () => this.draining,
      networkGone: () => hooks.networkGone(),
    });
    this.active = new ActiveWorker({
      plugin: id,
      context: host,
      drivers: this.drivers,
      reports: this.reports,
      hooks: (prepared) => hooks.worker(prepared),
      quarantined: () => this.held === "quarantined",
    });
  }

  get state(): PluginState {
    return this.#state;
  }

  set state(state: PluginState) {
    if (state !== this.#state) this.since = Date.now();
    this.#state = state;
  }

  /** True when it must not be started: it was stopped, or the host is closed. */
  get ended(): boolean {
    return this.stopped || this.host.closed();
  }

  /** Lists the ids of all its networks. */
  networks(): readonly string[] {
    return this.drivers.networks();
  }

  /** Runs `work` after all earlier changes have settled. */
  enqueue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when all changes queued so far have settled. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Returns what it may do: the grant it was prepared with or, before that, what the policy says about its id alone. */
  #effective(): Effective {
    return (
      this.active.prepared?.effective ??
      effectiveGrant({ id: this.id, manifest: undefined, policy: this.host.policy() })
    );
  }
}

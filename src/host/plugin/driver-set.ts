/** The network types one plugin serves: registered, put into service, paused, forgotten. They outlive its workers. */
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { JsonObject } from "../../driverapi/json.js";
import type { Scope } from "../../driverapi/types.js";
import type { Effective } from "../../policy/effective.js";
import { policyEntry } from "../../policy/schema.js";
import type { CallReports, Counters } from "../calls/call-context.js";
import { DriverProxy } from "../calls/driver-proxy.js";
import { DriverService } from "../calls/driver-service.js";
import type { OutOfService } from "../calls/errors.js";
import type { LiveDriver } from "../calls/host-call.js";
import type { NetworkRecord } from "../calls/record.js";
import type { Tally } from "../calls/tally.js";
import type { HostContext } from "../context.js";
import type { PluginWorker } from "./plugin-worker.js";
import type { Registration } from "./registrar.js";
import type { TypeReports } from "./reports.js";

export interface DriverSetOptions {
  readonly plugin: string;
  readonly counters: Counters;
  readonly tally: Tally;
  readonly context: HostContext;
  readonly reports: CallReports & TypeReports;
  /** Returns what the plugin may do at the moment. */
  effective(): Effective;
  /** Returns why new networks are refused; undefined if they are accepted. */
  draining(): string | undefined;
  /** Called after each deleted network. */
  networkGone(): void;
}

export class DriverSet {
  readonly #options: DriverSetOptions;
  readonly #services = new Map<string, DriverService>();
  /** Admitted and not yet registered. */
  readonly #admitted = new Map<string, DriverService>();
  /** The driver object that the platform may hold for each type ever registered. */
  readonly #held = new Map<string, DriverProxy>();

  constructor(options: DriverSetOptions) {
    this.#options = options;
  }

  types(): readonly string[] {
    return [...this.#services.keys()];
  }

  /** Lists the types whose driver has the methods of external connectivity. */
  external(): readonly string[] {
    return [...this.#services.values()].filter((one) => one.external).map((one) => one.type);
  }

  /** Lists all networks of these drivers by id, or those of one type. */
  networks(type?: string): readonly string[] {
    const of = type === undefined ? [...this.#services.values()] : [this.#services.get(type)];
    return of.flatMap((one) => one?.networks() ?? []);
  }

  /** Returns why each network is out of service; undefined for networks in service. */
  failures(): Map<NetworkRecord, DriverError | undefined> {
    const networks = [...this.#services.values()].flatMap((one) => [...one.records.networks.values()]);
    return new Map(networks.map((network) => [network, network.failed]));
  }

  /** Clears what was counted against each network. */
  resetKills(): void {
    for (const { records } of this.#services.values())
      for (const network of records.networks.values()) records.setKills(network, 0);
  }

  get busy(): boolean {
    return [...this.#services.values()].some((one) => one.busy);
  }

  /** Makes calls wait. */
  pause(): void {
    for (const service of this.#services.values()) service.pause();
  }

  /** Makes calls fail at once. */
  refuse(why: string, code: OutOfService = "ERR_PLUGIN_UNAVAILABLE"): void {
    for (const service of this.#services.values()) service.refuse(why, code);
  }

  /** Makes calls fail because the host is closed. */
  shut(): void {
    for (const service of this.#services.values()) service.shut();
  }

  /** Resolves when no call is in flight any more. */
  async drained(): Promise<void> {
    await Promise.all([...this.#services.values()].map((one) => one.drained()));
  }

  /** Restores the records in a worker; resolves with the networks that failed. Rejects with `ReplayInterrupted`. */
  async restore(worker: PluginWorker, suspicious = false): Promise<readonly NetworkRecord[]> {
    const failed: NetworkRecord[] = [];
    for (const service of this.#services.values()) {
      const live = liveDriver(worker, service.type);
      if (live) failed.push(...(await service.restore(live, suspicious)));
    }
    return failed;
  }

  /** Sends calls to a worker; types that it has not registered are refused. */
  open(worker: PluginWorker): void {
    for (const service of this.#services.values()) {
      const live = liveDriver(worker, service.type);
      if (live) service.open(live);
      else {
        const words = `plugin "${this.#options.plugin}" has not registered type "${service.type}" again`;
        service.refuse(words, "ERR_PLUGIN_UNAVAILABLE");
      }
    }
  }

  /** Does the host-wide part of a registration: ownership, and the platform's callback. Throws. */
  async admit(worker: PluginWorker, { type, scope, external }: Registration): Promise<void> {
    if (this.#services.has(type)) return;
    const { plugin, context, reports } = this.#options;
    const { registry, callback } = context;
    const before = registry.foreignOwner(type, plugin);
    registry.reserve(type, plugin, policyEntry(context.policy(), plugin)?.takeTypes?.includes(type) === true);
    try {
      await registry.owners.set(type, plugin);
      if (before !== undefined) reports.typeTaken(type, before);
      const service = this.#create(type, scope, external, worker.prepared.effective);
      this.#admitted.set(type, service);
      await service.load();
      await callback?.registerDriver(type, service.driver, Object.freeze({ scope }));
    } catch (error) {
      this.withdraw(type);
      if (error instanceof DriverError && error.code === "ERR_JOURNAL_FAILED") throw error;
      const why = messageOf(error);
      throw new DriverError("ERR_CALLBACK_REFUSED", `the platform refused driver "${type}": ${why}`, {
        plugin,
        driver: type,
        cause: error,
      });
    }
  }

  /** Undoes an admission. */
  withdraw(type: string): void {
    if (this.#services.has(type)) return;
    this.#admitted.get(type)?.retire();
    this.#admitted.delete(type);
    this.#options.context.registry.release(type);
  }

  /** Completes a registration. `serving`: it came after `init`, so the driver goes into service here. */
  register(worker: PluginWorker, { type, scope }: Registration, serving: boolean): void {
    const { plugin, context } = this.#options;
    const service = this.#services.get(type) ?? this.#admitted.get(type);
    if (!service) return;
    service.scope = scope;
    service.docker = worker.prepared.manifest?.docker !== false;
    if (this.#admitted.delete(type)) {
      worker.fresh.add(type);
      this.#services.set(type, service);
      context.registry.set(type, service);
      context.events.emit("driver:registered", { plugin, type, scope });
    }
    const live = liveDriver(worker, type);
    // Deferred, so that the plugin gets its reply first.
    if (serving && live)
      setImmediate(
        () =>
          void service.restore(live).then(
            () => {
              if (live.session.alive && this.#services.get(type) === service) service.open(live);
            },
            () => {},
          ),
      );
  }

  /** Returns the configuration that the platform itself gave a type, if any. */
  configured(type: string): JsonObject | undefined {
    return this.#services.get(type)?.configured;
  }

  /** Unregisters a type. */
  unregister(type: string): void {
    const service = this.#services.get(type);
    if (!service) return;
    const { plugin, context } = this.#options;
    this.#services.delete(type);
    context.registry.release(type);
    if (service.networks().length > 0) context.registry.journalled.add(type);
    else context.registry.journalled.delete(type);
    service.retire();
    context.events.emit("driver:unregistered", { plugin, type, scope: service.scope });
  }

  #create(type: string, scope: Scope, external: boolean, asked: Effective): DriverService {
    const { plugin, counters, tally, context, reports, networkGone } = this.#options;
    const { logger, journal, machine } = context;
    const service = new DriverService({
      type,
      scope,
      external,
      plugin,
      counters,
      tally,
      reports,
      recorder: context.recorder,
      logger,
      journal,
      host: machine,
      recovery: asked.recovery,
      subnets: () => this.#options.effective().permissions.netlink?.subnets,
      owns: (link) => context.netlink.owns(plugin, link),
      closed: () => context.closed(),
      timeout: (method) => this.#options.effective().timeouts[method],
      draining: () => this.#options.draining(),
      networkGone,
    });
    const held = this.#held.get(type) ?? new DriverProxy(service.own);
    held.current = service.own;
    this.#held.set(type, held);
    service.driver = held.driver;
    return service;
  }
}

function liveDriver(worker: PluginWorker, type: string): LiveDriver | undefined {
  const registration = worker.registrations.get(type);
  return registration && { session: worker.session, index: registration.index, external: registration.external };
}

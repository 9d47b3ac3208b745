/** Loads what was found in the plugins folder: starts it, puts it in place of the version that runs, or refuses it. */
import { isDeepStrictEqual } from "node:util";
import { DriverError } from "../../driverapi/errors.js";
import type { Discovered } from "../discovered.js";
import type { Life } from "./life.js";
import { exceeding, excessText, stoppedByPolicy } from "./policy-now.js";
import { awaitsGrant, type Prepared, prepare, prepareShelved } from "./prepare.js";
import type { Recovery } from "./recovery.js";
import { toDriverError } from "./start-error.js";
import type { Stopping } from "./stopping.js";

export class Loading {
  readonly #life: Life;
  readonly #recovery: Recovery;
  readonly #stopping: Stopping;

  constructor(life: Life, recovery: Recovery, stopping: Stopping) {
    this.#life = life;
    this.#recovery = recovery;
    this.#stopping = stopping;
  }

  /**
   * Loads what was found, or replaces the running version with it. Never rejects; resolves with why it was refused.
   * "if changed": the running version stays if it has the same bytes and the same grant.
   */
  async load(found: Discovered, when: "always" | "if changed"): Promise<DriverError | undefined> {
    const life = this.#life;
    const { id, context, service } = life;
    if (context.closed()) return hostClosed(id);
    const disabled = stoppedByPolicy(life);
    if (disabled && !(await this.#hasNetworks())) {
      await this.#stopping.stopByPolicy();
      return undefined;
    }
    let sha256: string | undefined;
    const hashed = (digest: string): void => {
      sha256 = digest;
    };
    const before = { former: service.prepared, serves: service.alive, hashed };
    let started = false;
    try {
      const prepared = await prepare(found, context, before);
      if (context.closed()) return hostClosed(id);
      const stays = when === "if changed" && service.alive && isDeepStrictEqual(prepared, service.prepared);
      if (stays && life.draining === disabled) return undefined;
      started = true;
      if (stays) context.logger.debug({ plugin: id }, "its files are back, unchanged");
      else if (service.alive) await this.#replace(prepared);
      else await this.#begin(prepared);
      await this.#loaded(prepared, disabled);
      return undefined;
    } catch (error) {
      if (started) this.#recovery.startFailed();
      return await this.#failed(this.#servesOn(toDriverError(error, id), started), sha256);
    }
  }

  /** Completes a load. `disabled`: why the policy stops it once its networks are deleted. */
  async #loaded(prepared: Prepared, disabled: string | undefined): Promise<void> {
    const life = this.#life;
    this.#stopping.drain(disabled);
    this.#stopping.loaded();
    life.refusal = undefined;
    life.state = disabled === undefined ? "running" : "orphaned";
    this.#recovery.loaded(prepared);
    life.reports.loaded(prepared);
    await this.#keep(prepared);
  }

  /** Handles a failed load: ends a version that lost its grant, and brings back the granted one from before a restart. */
  async #failed(refusal: DriverError, sha256: string | undefined): Promise<DriverError> {
    const life = this.#life;
    if (exceeding(life).length > 0) this.#stopping.takeOut(refusal.message);
    if (awaitsGrant(refusal) && !life.service.alive) {
      const former = await this.#beginShelved();
      const words = `${refusal.message}; the version it had before, sha256 ${former?.sha256}, serves its networks`;
      if (former) return this.#refuse(new DriverError(refusal.code, words, { plugin: life.id }), sha256);
    }
    await this.#stopping.releaseUnused();
    return this.#refuse(refusal, sha256);
  }

  async #hasNetworks(): Promise<boolean> {
    const { id, context } = this.#life;
    return this.#life.networks().length > 0 || (await context.shelf.inUse(id)) !== undefined;
  }

  /**
   * Replaces the version in service. If the new one cannot restore all networks, the former one serves on, unless it has more than the
   * policy grants now: then the new one starts as after a crash, and networks that do not fit the grant are set aside.
   */
  async #replace(prepared: Prepared): Promise<void> {
    const { id, context, service, drivers } = this.#life;
    try {
      await service.replace(prepared);
    } catch (error) {
      const excess = excessText(this.#life);
      if (excess === "" || !service.alive) throw error;
      const why = `the policy grants less than it ran with (${excess})`;
      context.logger.warn({ plugin: id, err: error }, `plugin "${id}" starts again, since ${why}`);
      drivers.pause();
      service.end(why);
      await this.#begin(prepared);
    }
  }

  /**
   * Starts a version for the first time, or after a refusal, a stop, or with the breaker open. With networks, the previous
   * one is still restarted if this one does not start.
   */
  async #begin(prepared: Prepared): Promise<void> {
    const life = this.#life;
    life.stopped = false;
    const serves = life.networks().length > 0;
    if (!serves) life.state = "loading";
    await life.service.begin(prepared, serves && life.state === "unavailable");
  }

  /**
   * Starts the granted version kept from before a restart, though its files have changed: the host would have kept it
   * running, too.
   */
  async #beginShelved(): Promise<Prepared | undefined> {
    const life = this.#life;
    const shelved = await life.context.shelf.inUse(life.id);
    const prepared = shelved && prepareShelved(shelved, life.context);
    if (!prepared) return undefined;
    try {
      await this.#begin(prepared);
    } catch (error) {
      life.context.logger.warn({ plugin: life.id, err: error }, "its former version could not be started either");
      return undefined;
    }
    life.state = "running";
    life.reports.loaded(prepared);
    return prepared;
  }

  /** Keeps its bytes for the next start. A failure to do so does not stop it from serving. */
  async #keep({ id, version, manifest, code, sourceMap, sha256, effective, pinned }: Prepared): Promise<void> {
    const { shelf, logger } = this.#life.context;
    const types = effective.networkTypes;
    try {
      await shelf.keep({ id, version, manifest, code, sourceMap, sha256, types, pinned });
    } catch (error) {
      logger.warn({ plugin: id, err: error }, "its bytes could not be kept for the next start");
    }
  }

  /** Adds to a failed replacement's error that the previous version still serves. */
  #servesOn(error: DriverError, started: boolean): DriverError {
    const { alive, prepared } = this.#life.service;
    if (!started || !alive) return error;
    const words = `${error.message}; the version that runs, sha256 ${prepared?.sha256}, serves on`;
    return new DriverError(error.code, words, error);
  }

  #refuse(error: DriverError, sha256: string | undefined): DriverError {
    const life = this.#life;
    // While another version serves or is restarting, only the new one is refused.
    if (!life.service.alive && life.state !== "restarting" && life.state !== "unavailable") {
      life.refusal = error;
      life.state = awaitsGrant(error) ? "awaiting-grant" : "refused";
    }
    life.reports.refused(error, sha256);
    return error;
  }
}

function hostClosed(plugin: string): DriverError {
  return new DriverError("ERR_HOST_CLOSED", `plugin "${plugin}": the host is closed`, { plugin });
}

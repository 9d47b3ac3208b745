/**
 * Settles calls whose callers have been answered: takes late replies, undoes creates of unknown outcome, repeats deletes. The
 * call's lock is held until then, so that no other call on its ids is sent meanwhile.
 */

import type { Logger } from "../../common/logger.js";
import type { WorkerMethod } from "../../protocol/messages.js";
import type { CallOutcome } from "../../session/outcome.js";
import { REPLAY } from "../limits.js";
import { isNotFound } from "./errors.js";
import { callDriver, type LiveDriver } from "./host-call.js";
import type { Release } from "./locks.js";
import { idArgs, type Operation } from "./operation.js";
import { OUTCOME_LOST } from "./outcome-writes.js";

/** A call whose outcome is not settled yet. */
export interface InDoubtCall {
  readonly op: Operation<unknown>;
  readonly release: Release;
  /** Workers that have ended while it was being settled. */
  attempts: number;
}

type RunOutcome = Exclude<CallOutcome, { readonly how: "dropped" }>;

export interface InDoubtOptions {
  readonly type: string;
  readonly plugin: string;
  readonly logger: Logger;
  timeout(method: WorkerMethod): number;
}

export class InDoubtCalls {
  readonly #options: InDoubtOptions;
  /** Calls that wait for the next worker. */
  readonly #open = new Set<InDoubtCall>();
  readonly #serving: () => LiveDriver | undefined;

  /** `serving` returns the worker that is in service now, if any. */
  constructor(options: InDoubtOptions, serving: () => LiveDriver | undefined) {
    this.#options = options;
    this.#serving = serving;
  }

  /** Handles a late outcome: undoes a create that succeeded; accepts a delete's reply. */
  async settle(call: InDoubtCall, outcome: CallOutcome, live: LiveDriver): Promise<void> {
    const { op } = call;
    switch (outcome.how) {
      case "value":
        if (op.inverse) await this.undo(call, live);
        else await this.#close(call, () => op.accept(undefined));
        return;
      case "error":
        await this.#close(call, () => (op.repeats && isNotFound(outcome.error) ? op.accept(undefined) : op.refuse()));
        return;
      case "dropped":
        await this.#close(call, () => op.refuse());
        return;
      case "ended":
        this.defer(call);
        return;
    }
  }

  /**
   * Calls the inverse. Resolves with undefined when undone, else with the reason; if the worker ends, the next one tries
   * again.
   */
  async undo(call: InDoubtCall, live: LiveDriver): Promise<string | undefined> {
    const { op } = call;
    const outcome = await this.#call(op.inverse as WorkerMethod, op, live);
    if (outcome.how === "ended") {
      this.defer(call);
      return outcome.end.reason;
    }
    await this.#close(call, () => undone(op));
    if (outcome.how === "value" || isNotFound(outcome.error)) return undefined;
    const why = outcome.error.message;
    this.#options.logger.warn(this.#about(op), `${op.inverse} could not undo ${op.method}: ${why}`);
    return why;
  }

  /** Defers a call to the next worker, unless several workers have ended over it. */
  defer(call: InDoubtCall): void {
    const { op } = call;
    if (!op.inverse && !op.repeats) {
      call.release();
      return;
    }
    if (++call.attempts <= REPLAY.quarantineAfter) {
      this.#open.add(call);
      // After a reload the next worker is already in service, and nothing else would resume this call.
      const next = this.#serving();
      if (next?.session.alive) void this.resume(next);
      return;
    }
    this.#options.logger.error(
      this.#about(op),
      `${op.method} could not be undone or completed: its worker ended each time; the host gives up`,
    );
    void this.#close(call, () => (op.inverse ? undone(op) : op.accept(undefined)));
  }

  /** Settles what earlier workers left, in a driver that is in service again. New calls may run meanwhile: the ids are locked. */
  async resume(live: LiveDriver): Promise<void> {
    const left = [...this.#open];
    this.#open.clear();
    await Promise.all(left.map((call) => (call.op.inverse ? this.undo(call, live) : this.#repeat(call, live))));
  }

  /** Journals that a call was not done, and releases its lock. */
  refuse(call: InDoubtCall): Promise<void> {
    return this.#close(call, () => call.op.refuse());
  }

  async #repeat(call: InDoubtCall, live: LiveDriver): Promise<void> {
    const { op } = call;
    const outcome = await this.#call(op.method, op, live);
    if (outcome.how === "ended") {
      this.defer(call);
      return;
    }
    const done = outcome.how === "value" || isNotFound(outcome.error);
    await this.#close(call, () => (done ? op.accept(undefined) : op.refuse()));
    if (!done)
      this.#options.logger.warn(this.#about(op), `${op.method} was repeated and refused: ${outcome.error.message}`);
  }

  /** Sends the call until it has run: one that expired while another call blocked the worker is sent again. */
  async #call(method: WorkerMethod, { nid, eid }: Operation<unknown>, live: LiveDriver): Promise<RunOutcome> {
    for (;;) {
      const outcome = await callDriver(live, method, idArgs(nid ?? "", eid), this.#options.timeout(method), "outcome");
      if (outcome.how !== "dropped") return outcome;
    }
  }

  async #close({ op, release }: InDoubtCall, write: () => void | Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#options.logger.error({ ...this.#about(op), err: error }, OUTCOME_LOST);
    }
    release();
  }

  #about({ nid, eid }: Operation<unknown>): object {
    return { plugin: this.#options.plugin, driver: this.#options.type, nid, eid };
  }
}

/** Journals that nothing of the operation is left. */
function undone(op: Operation<unknown>): void | Promise<void> {
  return op.undone ? op.undone() : op.refuse();
}

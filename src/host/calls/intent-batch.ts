/** Collects the calls of one turn of the event loop, commits their intents to the journal together, and then sends them. */
import type { Journal } from "../../storage/journal/journal.js";
import type { Caller } from "./caller.js";
import type { LiveDriver } from "./host-call.js";
import type { InFlightCount } from "./in-flight.js";
import type { Operation } from "./operation.js";

/** A call whose intent is recorded. It is sent once the journal has committed that. */
export interface IntendedCall {
  readonly op: Operation<unknown>;
  readonly live: LiveDriver;
  readonly caller: Caller<unknown>;
}

export interface IntentBatchHandlers {
  send(call: IntendedCall): void;
  /** Rejects a call whose intent the journal has refused. */
  unsent(call: IntendedCall, error: unknown): void;
}

export class IntentBatch {
  readonly #journal: Pick<Journal, "commit">;
  readonly #inFlight: InFlightCount;
  readonly #handlers: IntentBatchHandlers;
  #calls: IntendedCall[] = [];

  constructor(journal: Pick<Journal, "commit">, inFlight: InFlightCount, handlers: IntentBatchHandlers) {
    this.#journal = journal;
    this.#inFlight = inFlight;
    this.#handlers = handlers;
  }

  /** Adds a call; the first of a turn has the batch sent at its end. */
  add(call: IntendedCall): void {
    this.#inFlight.add();
    if (this.#calls.push(call) === 1) setImmediate(() => this.#send());
  }

  #send(): void {
    const calls = this.#calls;
    this.#calls = [];
    let refusal: { readonly error: unknown } | undefined;
    try {
      this.#journal.commit?.();
    } catch (error) {
      refusal = { error };
    }
    for (const call of calls) {
      if (refusal) this.#handlers.unsent(call, refusal.error);
      else this.#handlers.send(call);
      this.#inFlight.done();
    }
  }
}

/**
 * The abort signals of the requests in progress; all fire when the server stops waiting. A signal that has not fired is used
 * again for a later request, since making one costs more than reading a body.
 */
export class RequestSignals {
  readonly #inUse = new Set<AbortController>();
  readonly #free: AbortController[] = [];
  #stopped = false;

  /** True once `stop` has been called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Returns a controller for one request. */
  begin(): AbortController {
    const controller = this.#free.pop() ?? new AbortController();
    this.#inUse.add(controller);
    if (this.#stopped) controller.abort();
    return controller;
  }

  /** Called when the request is answered: nothing may listen to its signal any more. */
  end(controller: AbortController): void {
    this.#inUse.delete(controller);
    if (!controller.signal.aborted) this.#free.push(controller);
  }

  /** Aborts all requests in progress, and those that begin later. */
  stop(): void {
    this.#stopped = true;
    for (const controller of this.#inUse) controller.abort();
  }
}

/**
 * Locks for the order among calls (README.md here, "Order"): calls on one endpoint are serialised, a network's
 * create and delete exclude calls on its endpoints, and all else runs in parallel. FIFO.
 */

/** Releases the lock. Idempotent. */
export type Release = () => void;

/** A queued request for a lock. */
export interface Waiter {
  /** Removes the waiter from the queue; neither of its callbacks is then called. */
  cancel(): void;
}

interface Queued {
  /** undefined: the whole network. */
  readonly eid: string | undefined;
  grant(release: Release): void;
  /** Called when the lock will never be granted. */
  refuse(): void;
}

interface NetworkState {
  whole: boolean;
  readonly endpoints: Set<string>;
  queue: Queued[];
}

export class NetworkLocks {
  readonly #networks = new Map<string, NetworkState>();

  /** Acquires the lock at once, or returns undefined when it must be waited for. `eid` undefined: the whole network. */
  tryAcquire(nid: string, eid: string | undefined): Release | undefined {
    const state = this.#networks.get(nid);
    if (!state) {
      const fresh: NetworkState = { whole: false, endpoints: new Set(), queue: [] };
      this.#networks.set(nid, fresh);
      return this.#take(nid, fresh, eid);
    }
    // FIFO among conflicting calls; other calls are not blocked.
    if (!isFree(state, eid) || state.queue.some((one) => conflicts(one.eid, eid))) return undefined;
    return this.#take(nid, state, eid);
  }

  /** True while the queue is not empty. */
  get waiting(): boolean {
    return [...this.#networks.values()].some((one) => one.queue.length > 0);
  }

  /** Removes all waiters from the queues and refuses them. */
  refuseWaiting(): void {
    const all = [...this.#networks.values()].flatMap((one) => one.queue.splice(0));
    for (const one of all) one.refuse();
  }

  /** Waits for the lock; one of `granted` and `refused` is called once, later. */
  wait(
    nid: string,
    eid: string | undefined,
    granted: (release: Release) => void,
    refused: () => void = () => {},
  ): Waiter {
    const state = this.#networks.get(nid);
    if (!state) throw new Error("nothing to wait for");
    const queued: Queued = { eid, grant: granted, refuse: refused };
    state.queue.push(queued);
    return {
      cancel: () => {
        const index = state.queue.indexOf(queued);
        if (index < 0) return;
        state.queue.splice(index, 1);
        this.#serve(nid, state);
      },
    };
  }

  #take(nid: string, state: NetworkState, eid: string | undefined): Release {
    if (eid === undefined) state.whole = true;
    else state.endpoints.add(eid);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (eid === undefined) state.whole = false;
      else state.endpoints.delete(eid);
      this.#serve(nid, state);
    };
  }

  #serve(nid: string, state: NetworkState): void {
    if (state.queue.length > 0) {
      const kept: Queued[] = [];
      const ahead = new Set<string>();
      let wholeAhead = false;
      const ready: Array<{ queued: Queued; release: Release }> = [];
      for (const queued of state.queue) {
        const blocked = wholeAhead || (queued.eid === undefined ? kept.length > 0 : ahead.has(queued.eid));
        if (!blocked && isFree(state, queued.eid)) ready.push({ queued, release: this.#take(nid, state, queued.eid) });
        else {
          kept.push(queued);
          if (queued.eid === undefined) wholeAhead = true;
          else ahead.add(queued.eid);
        }
      }
      state.queue = kept;
      for (const { queued, release } of ready) queued.grant(release);
    }
    if (!state.whole && state.endpoints.size === 0 && state.queue.length === 0 && this.#networks.get(nid) === state)
      this.#networks.delete(nid);
  }
}

function conflicts(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function isFree(state: NetworkState, eid: string | undefined): boolean {
  if (state.whole) return false;
  return eid === undefined ? state.endpoints.size === 0 : !state.endpoints.has(eid);
}

/** Endpoints created a short while ago: the engine may still join them, so they do not count as forgotten. */
import { DOCKER } from "./limits.js";

export class RecentEndpoints {
  /** Creation times (`performance.now()`), oldest first. */
  readonly #created = new Map<string, number>();

  created(nid: string, eid: string): void {
    const now = performance.now();
    const key = keyOf(nid, eid);
    this.#created.delete(key);
    this.#created.set(key, now);
    for (const [old, at] of this.#created) {
      if (now - at < DOCKER.joinMs) break;
      this.#created.delete(old);
    }
  }

  /** Called when an endpoint has been deleted: nothing joins it any more. */
  deleted(nid: string, eid: string): void {
    this.#created.delete(keyOf(nid, eid));
  }

  /** Returns whether an endpoint was created less than `DOCKER.joinMs` ago. */
  has(nid: string, eid: string): boolean {
    const at = this.#created.get(keyOf(nid, eid));
    return at !== undefined && performance.now() - at < DOCKER.joinMs;
  }
}

function keyOf(nid: string, eid: string): string {
  return JSON.stringify([nid, eid]);
}

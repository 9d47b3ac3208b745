/** What ours is measured against: the same request, `createEndpoint`, by some other way. */
import type { Target } from "#dist/load/closed-loop.js";

export interface Peer {
  readonly id: string;
  readonly what: string;
  /** Ready to be called. Rejects where it cannot be had here. */
  start(): Promise<Running>;
}

export interface Running {
  /** One request; resolves when it is answered. */
  readonly call: Target;
  stop(): Promise<void>;
}

/** What a peer's driver answers: the interface it made. */
export const ANSWER = { id: 0, mac: "02:42:0a:01:00:02", ipv4: "10.1.0.2/16", ipv6: "" } as const;

/** Answers by number, for peers whose messages carry one. */
export class Waiting {
  readonly #waiting = new Map<number, (answer: unknown) => void>();

  wait(id: number, send: () => void): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      send();
    });
  }

  answered(id: number, answer: unknown): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }
}

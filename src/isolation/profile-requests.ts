/** The platform's side of profiles in one host process: those asked for, and their parts as they arrive. */
import { PROFILES } from "./limits.js";

interface Awaited {
  readonly parts: string[];
  chars: number;
  readonly late: NodeJS.Timeout;
  resolve(text: string): void;
  reject(error: Error): void;
}

export class ProfileRequests {
  readonly #awaited = new Map<number, Awaited>();
  #nextId = 1;

  /**
   * Asks with `send` for a profile of `ms` milliseconds. Resolves with V8's text, unread; rejects with an error that gives the
   * reason.
   */
  ask(ms: number, send: (id: number) => void): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.#fail(id, "its host process sent no profile in time"),
        ms + PROFILES.lateMs,
      ).unref();
      this.#awaited.set(id, { parts: [], chars: 0, late, resolve, reject });
      send(id);
    });
  }

  /** Takes a part. One that was not asked for, or comes too late, is dropped. */
  part(id: number, text: string): void {
    const one = this.#awaited.get(id);
    if (one === undefined) return;
    one.parts.push(text);
    one.chars += text.length;
    if (one.chars > PROFILES.chars) this.#fail(id, `it is larger than ${PROFILES.chars} characters`);
  }

  /** Ends one; `why`: why it was not taken, or "". */
  done(id: number, why: string): void {
    if (why !== "") {
      this.#fail(id, why);
      return;
    }
    const one = this.#take(id);
    one?.resolve(one.parts.join(""));
  }

  /** Called when the host process has ended. */
  ended(why: string): void {
    for (const id of [...this.#awaited.keys()]) this.#fail(id, why);
  }

  #fail(id: number, why: string): void {
    this.#take(id)?.reject(new Error(why));
  }

  #take(id: number): Awaited | undefined {
    const one = this.#awaited.get(id);
    this.#awaited.delete(id);
    clearTimeout(one?.late);
    return one;
  }
}

/** The platform's side of profiles in one host process: those asked for, and their parts as they arrive. */
import { PROFILES } from "./limits.js";

interface Awaited {
  readonly parts: string[];
  chars: number;
  /** Ends the wait for its deadline, and for its client to go. */
  release(): void;
  resolve(text: string): void;
  reject(error: Error): void;
}

/** Messages to the host process about one profile. */
interface ProfileMessages {
  send(id: number): void;
  /** Ends it before its time. */
  stop(id: number): void;
}

export class ProfileRequests {
  readonly #awaited = new Map<number, Awaited>();
  #nextId = 1;

  /**
   * Asks for a profile of `ms` milliseconds, which ends when `gone` is aborted. Resolves with V8's text, unread; rejects with an error
   * that gives the reason.
   */
  ask(ms: number, { send, stop }: ProfileMessages, gone?: AbortSignal): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.#fail(id, "its host process sent no profile in time"),
        ms + PROFILES.lateMs,
      ).unref();
      const ended = (): void => stop(id);
      const release = (): void => {
        clearTimeout(late);
        gone?.removeEventListener("abort", ended);
      };
      this.#awaited.set(id, { parts: [], chars: 0, release, resolve, reject });
      send(id);
      if (gone?.aborted) ended();
      else gone?.addEventListener("abort", ended, { once: true });
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
    one?.release();
    return one;
  }
}

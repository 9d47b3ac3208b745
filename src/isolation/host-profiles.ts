/** Profiles inside a host process: takes them of its workers, and sends them to the platform in parts, as control messages. */
import { messageOf } from "../common/text.js";
import type { ControlUp } from "./control.js";
import { PROFILES } from "./limits.js";
import { type ProfileKind, profileThread } from "./profiling.js";
import type { ThreadLink } from "./thread-link.js";

/** A profile that the platform asks for. */
interface ProfileOrder {
  readonly id: number;
  readonly of: ProfileKind;
  readonly ms: number;
}

export class HostProfiles {
  readonly #tell: (message: ControlUp) => void;
  /** Those being taken, by id. */
  readonly #taken = new Map<number, AbortController>();

  constructor(tell: (message: ControlUp) => void) {
    this.#tell = tell;
  }

  /** Takes a profile of `link`'s worker and sends it, or why it could not be taken. Never rejects. */
  async send(link: ThreadLink | undefined, { id, of, ms }: ProfileOrder): Promise<void> {
    const stop = new AbortController();
    this.#taken.set(id, stop);
    try {
      const thread = link?.thread;
      if (thread === undefined) throw new Error("its worker has ended");
      const text = await profileThread(thread, of, ms, { gone: stop.signal });
      for (let at = 0; at < text.length; at += PROFILES.partChars)
        this.#tell({ kind: "profile", id, part: text.slice(at, at + PROFILES.partChars) });
      this.#tell({ kind: "profiled", id, why: "" });
    } catch (error) {
      this.#tell({ kind: "profiled", id, why: messageOf(error) || "it could not be taken" });
    } finally {
      this.#taken.delete(id);
    }
  }

  /** Ends one before its time; one that has ended is left as it is. */
  stop(id: number): void {
    this.#taken.get(id)?.abort();
  }
}

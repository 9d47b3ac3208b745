/** The log of a host that a command makes for itself. What it would say, the command reports; of the wall it takes the host's words. */
import type { Logger } from "../host/logger.js";

/** What stood around a plugin, for a report. */
export interface Standing {
  /** Null: none was raised, since the plugin lived in a thread, or was not started. */
  readonly name: string | null;
  /** What was missing; null: nothing. */
  readonly weakened: string | null;
}

export class WallWatch implements Logger {
  #standing: Standing = { name: null, weakened: null };

  get standing(): Standing {
    return this.#standing;
  }

  /** All of it stands. */
  debug(fields: object): void {
    this.#look(fields, null);
  }

  info(): void {}

  /** Not all of it stands. */
  warn(fields: object, message: string): void {
    this.#look(fields, message);
  }

  error(): void {}

  /** What the host says of a wall names it, and no plugin. */
  #look(fields: object, weakened: string | null): void {
    const { wall, plugin } = fields as { readonly wall?: unknown; readonly plugin?: unknown };
    if (typeof wall === "string" && plugin === undefined) this.#standing = { name: wall, weakened };
  }
}

/** How many lines each plugin may cause: what is over it is dropped, counted, and said in one line. */
import { monotonicNow } from "../../protocol/clock.js";
import type { AuditEvent } from "./entry.js";

/**
 * Events that a running plugin can cause as often as it likes, with an allowance of their own: a flood of them hides
 * neither an end, nor a violation, nor a change of its grant.
 */
const AT_WILL: ReadonlySet<AuditEvent> = new Set(["driver-refused", "request-refused", "reply-refused", "timeout"]);

export interface AllowanceOptions {
  /** Lines per window, of each plugin and either kind. */
  readonly lines: number;
  /** Milliseconds. */
  readonly window: number;
  /** A window in which lines were dropped is over. `what`: how many of which event. */
  dropped(plugin: string | undefined, what: string): void;
}

interface Window {
  readonly plugin: string | undefined;
  readonly ends: number;
  left: number;
  readonly dropped: Map<AuditEvent, number>;
  timer?: NodeJS.Timeout;
}

export class Allowance {
  readonly #options: AllowanceOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: AllowanceOptions) {
    this.#options = options;
  }

  /** False: drop the line; it has been counted. */
  spend(plugin: string | undefined, event: AuditEvent): boolean {
    const now = monotonicNow();
    const key = `${AT_WILL.has(event) ? "at will" : "its life"} ${plugin ?? ""}`;
    let window = this.#windows.get(key);
    if (window === undefined || now >= window.ends) {
      if (window) this.#end(key, window);
      window = { plugin, ends: now + this.#options.window, left: this.#options.lines, dropped: new Map() };
      this.#windows.set(key, window);
    }
    if (window.left > 0) {
      window.left--;
      return true;
    }
    window.dropped.set(event, (window.dropped.get(event) ?? 0) + 1);
    const full = window;
    window.timer ??= setTimeout(() => this.#end(key, full), Math.max(0, full.ends - now)).unref();
    return false;
  }

  /** Ends every window, and says what was dropped in it. */
  close(): void {
    for (const [key, window] of this.#windows) this.#end(key, window);
  }

  #end(key: string, { plugin, dropped, timer }: Window): void {
    clearTimeout(timer);
    this.#windows.delete(key);
    if (dropped.size === 0) return;
    this.#options.dropped(plugin, [...dropped].map(([event, count]) => `${count} ${event}`).join(", "));
  }
}

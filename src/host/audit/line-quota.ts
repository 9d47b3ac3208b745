/** Limits each plugin's lines in the audit log: excess lines are dropped, and one line reports their number. */
import { monotonicNow } from "../../common/clock.js";
import type { AuditEvent } from "./entry.js";

/**
 * Events that a running plugin can cause at will. They have a quota of their own, so that a flood of them cannot hide an end, a
 * violation, or a change of its grant.
 */
const AT_WILL: ReadonlySet<AuditEvent> = new Set(["driver-refused", "request-refused", "reply-refused", "timeout"]);

/** No plugin causes what an operator does, so none may use up its quota, nor do calls use up that of changes. */
function kindOf(event: AuditEvent): string {
  return event === "operator" || event === "operator-call" ? event : AT_WILL.has(event) ? "at will" : "its life";
}

export interface LineQuotaOptions {
  /** Lines per window, per plugin, for each of the two kinds of events. */
  readonly lines: number;
  /** Length of a window, in milliseconds. */
  readonly window: number;
  /** Called at the end of a window in which lines were dropped. `what`: how many of which event. */
  dropped(plugin: string | undefined, what: string): void;
}

interface Window {
  readonly plugin: string | undefined;
  readonly ends: number;
  left: number;
  readonly dropped: Map<AuditEvent, number>;
  timer?: NodeJS.Timeout;
}

export class LineQuota {
  readonly #options: LineQuotaOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: LineQuotaOptions) {
    this.#options = options;
  }

  /** Returns false if the line must be dropped; it has been counted. */
  spend(plugin: string | undefined, event: AuditEvent): boolean {
    const now = monotonicNow();
    const key = `${kindOf(event)} ${plugin ?? ""}`;
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

  /** Ends every window, and reports what was dropped in it. */
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

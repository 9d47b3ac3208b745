/** One line of the audit log: what happened to which plugin, in words no plugin can forge. */
import { escapeLine } from "../../permissions/log/escape.js";
import type { OutsideEventName } from "../../permissions/outside.js";
import { AUDIT } from "../../protocol/limits.js";

/**
 * What a line is about. Loading: `refused`, `awaiting-grant`, `type-taken` (a plugin serves networks that another one made), `revoked` (permissions taken away while it ran), `updated` (other bytes than those pinned, let in by
 * `"update": "same-grant"`), `grant-changed`. Serving: `driver-refused`, `request-refused` (a power said no),
 * `reply-refused`, `timeout`, `network-lost`. Ending: `throttled`, `violation`, `killed`, `crashed`, `aborted` (its host process
 * ended), `restarted`, `restart-failed`, `breaker-open`. The walls: `wall-weakened`. Others on the machine: `rules-restored`,
 * `link-restored`, `link-lost`, `forwarding-restored` (see `permissions/outside`). The log itself: `dropped` (lines
 * over a plugin's allowance), `lost` (lines that could not be written).
 */
export type AuditEvent =
  | "refused"
  | "awaiting-grant"
  | "type-taken"
  | "revoked"
  | "updated"
  | "grant-changed"
  | "driver-refused"
  | "request-refused"
  | "reply-refused"
  | "timeout"
  | "network-lost"
  | "throttled"
  | "violation"
  | "killed"
  | "crashed"
  | "aborted"
  | "restarted"
  | "restart-failed"
  | "breaker-open"
  | "wall-weakened"
  | OutsideEventName
  | "dropped"
  | "lost";

/** What is written; the time is added. */
export interface AuditEntry {
  readonly event: AuditEvent;
  /** Absent: it concerns no plugin by itself. */
  readonly plugin?: string | undefined;
  /** Of the plugin's files that run, or that were refused. */
  readonly sha256?: string | undefined;
  /** An error's code, where there is one. */
  readonly code?: string | undefined;
  readonly detail: string;
}

/** The line, newline included: `time`, `plugin`, `sha256`, `event`, `code`, `detail`, null where there is none. */
export function auditLine({ event, plugin, sha256, code, detail }: AuditEntry, time: Date): string {
  // A plugin's id that is none may hold anything, and codes may come with errors that are not ours.
  const name = (text: string | undefined): string | null => (text === undefined ? null : escapeLine(text, 128));
  const line = {
    time: time.toISOString(),
    plugin: name(plugin),
    sha256: name(sha256),
    event,
    code: name(code),
    detail: escapeLine(detail, AUDIT.detailChars),
  };
  return `${JSON.stringify(line)}\n`;
}

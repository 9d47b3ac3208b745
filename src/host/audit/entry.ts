/** One line of the audit log: what happened to which plugin, in a form that no plugin can forge. */
import { escapeLine } from "../../common/escape.js";
import type { ExternalChangeName } from "../../permissions/external-changes.js";
import { AUDIT } from "./limits.js";

/**
 * The subject of a line. Loading: `refused`, `awaiting-grant`, `type-taken` (a plugin serves networks that another one made),
 * `revoked` (permissions revoked while it ran), `updated` (other bytes than those pinned, accepted by `"update":
 * "same-grant"`), `grant-changed`.
 * Serving: `driver-refused`, `request-refused` (refused by a power), `reply-refused`, `timeout`, `network-lost`. Ending:
 * `throttled`, `violation`, `killed`, `crashed`, `aborted` (its host process ended), `restarted`, `restart-failed`,
 * `breaker-open`. The walls: `wall-weakened`.
 * Other programs on the machine: `rules-restored`, `link-restored`, `link-lost`, `forwarding-restored` (see
 * `permissions/external-changes`). An operator at the control socket: `operator`, `operator-call`. The data folder: `storage` (a problem
 * began, or is over). The log itself: `dropped` (lines over a plugin's quota), `lost` (lines that could not be written).
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
  | ExternalChangeName
  | "operator"
  | "operator-call"
  | "storage"
  | "dropped"
  | "lost";

/** What is written, apart from the time. */
export interface AuditEntry {
  readonly event: AuditEvent;
  /** Absent if it does not concern a single plugin. */
  readonly plugin?: string | undefined;
  /** Digest of the plugin's files that run, or that were refused. */
  readonly sha256?: string | undefined;
  /** The error's code, if any. */
  readonly code?: string | undefined;
  readonly detail: string;
}

/** Returns the line, newline included: `time`, `plugin`, `sha256`, `event`, `code`, `detail`; absent ones are null. */
export function auditLine({ event, plugin, sha256, code, detail }: AuditEntry, time: Date): string {
  // An invalid plugin id may hold anything, and codes may come with errors that are not ours.
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

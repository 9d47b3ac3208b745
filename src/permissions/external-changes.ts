/** What other programs do to Bulkhead's links, rules and forwarding, for the log and the audit log. */
import type { OperatorLog } from "../common/logger.js";

/**
 * `rules-restored`: rules, or what lets our packets pass another program's filter, had been removed. `link-restored`: a link had been
 * renamed, or a remote host of it had been removed. `link-lost`: a link had been deleted. `forwarding-restored`: forwarding had been switched off. `traffic-restored`: the rate,
 * delay or loss of a link had been changed.
 */
export type ExternalChangeName =
  | "rules-restored"
  | "link-restored"
  | "link-lost"
  | "forwarding-restored"
  | "traffic-restored";

export interface ExternalChange {
  readonly event: ExternalChangeName;
  /** The plugin concerned; absent: all plugins. */
  readonly plugin?: string | undefined;
  readonly detail: string;
}

/** Logs a change as a warning, and reports it. `what`: the subject, for the log. */
export function announce(
  what: string,
  change: ExternalChange,
  { logger, report }: { readonly logger: OperatorLog; report(change: ExternalChange): void },
): void {
  logger.warn({ plugin: change.plugin }, `${what}: ${change.detail}`);
  report(change);
}

/** What somebody else has done to links, rules or switches of ours, for the audit log. */

/**
 * `rules-restored`: rules of ours, or what lets our packets pass another program's filter, had been removed. `link-restored`: a link had
 * been renamed. `link-lost`: a link had been deleted. `forwarding-restored`: forwarding had been switched off.
 */
export type ExternalChangeName = "rules-restored" | "link-restored" | "link-lost" | "forwarding-restored";

export interface ExternalChange {
  readonly event: ExternalChangeName;
  /** Whose it was; absent: it concerns all. */
  readonly plugin?: string | undefined;
  readonly detail: string;
}

/**
 * Judges a changed plugin: how its requests differ from its previous version's, and whether the policy accepts it without
 * asking.
 */

import { type Difference, differences, differenceText } from "./difference.js";
import { effectiveGrant, type GrantQuestion } from "./effective.js";
import type { Manifest } from "./manifest/schema.js";
import { policyEntry } from "./schema.js";
import { askedTerms, grantedTerms, termsOf } from "./terms.js";

/** A known version of the plugin. */
export interface KnownVersion {
  readonly manifest: Manifest | undefined;
}

/** The new version, and what is known of earlier ones. */
export interface UpdateQuestion extends GrantQuestion {
  /** The version whose sha256 the policy pins. */
  readonly pinned?: KnownVersion | undefined;
  /** The version that was loaded last. */
  readonly former?: KnownVersion | undefined;
  /** How the pinned version recovers, where only that is known of it. Default: by replay. */
  readonly recovery?: Manifest["recovery"] | undefined;
}

/** What has changed. */
export interface Update {
  /** In one line, with what it was compared to. */
  readonly text: string;
  /** True if it asks for something else. */
  readonly differs: boolean;
  /** True if it does not ask for more, and the policy accepts such a plugin. */
  readonly accepted: boolean;
}

/**
 * Compares the new version with the pinned one; if that is unknown (after a restart of the process), with the grant itself,
 * which bounds it. Where the policy always asks, an unknown pinned version is replaced by the one loaded before. Pure.
 */
export function judgeUpdate(question: UpdateQuestion): Update {
  const { pinned, former, recovery = "replay", ...grant } = question;
  const acceptsSameGrant = policyEntry(grant.policy, grant.id)?.update === "same-grant";
  const version = pinned ?? (acceptsSameGrant ? undefined : former);
  const asked = askedTerms(grant);
  if (version) {
    const found = differences(askedTerms({ ...grant, manifest: version.manifest }), asked);
    const to = version === pinned ? "the granted version" : "the version before it";
    return update(found, found, acceptsSameGrant, to, "asks for the same");
  }
  const given = { ...grantedTerms(grant), recovery };
  const effective = effectiveGrant(grant);
  // A grant is an upper bound: asking for less is not a difference.
  const found = differences(given, asked).filter(({ way }) => way !== "less");
  // A request above a limit that the policy names is lowered to it; a missing permission is not.
  const decisive = effective.missing.length > 0 ? found : differences(given, termsOf(effective));
  return update(found, decisive, acceptsSameGrant, "its grant", "does not ask for more");
}

function update(
  found: readonly Difference[],
  decisive: readonly Difference[],
  acceptsSameGrant: boolean,
  to: string,
  same: string,
): Update {
  const more = decisive.some(({ way }) => way === "more");
  const differs = found.length > 0;
  const not = acceptsSameGrant && more ? '; "update": "same-grant" does not cover that' : "";
  const what = differs ? `: ${differenceText(found)}` : `, it ${same}`;
  return { text: `compared with ${to}${what}${not}`, differs, accepted: acceptsSameGrant && !more };
}

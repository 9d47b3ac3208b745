/** A changed plugin: what it asks for in place of what its former version did, and whether the policy lets it in unasked. */
import type { Manifest } from "../manifest/schema.js";
import { type Difference, differences, differenceText } from "./difference.js";
import { effectiveGrant, type GrantQuestion } from "./effective.js";
import { policyEntry } from "./schema.js";
import { askedStanding, grantedStanding, standingOf } from "./standing.js";

/** A version of the plugin that is known. */
export interface KnownVersion {
  readonly manifest: Manifest | undefined;
}

/** The newcomer, and what is known of those before it. */
export interface UpdateQuestion extends GrantQuestion {
  /** The version whose sha256 the policy pins. */
  readonly pinned?: KnownVersion | undefined;
  /** The version that was loaded last. */
  readonly former?: KnownVersion | undefined;
  /** How the pinned version recovers, where no more than that is known of it. Default: by replay. */
  readonly recovery?: Manifest["recovery"] | undefined;
}

/** What has changed. */
export interface Update {
  /** In one line, with what it was compared to. */
  readonly text: string;
  /** It asks for something else. */
  readonly differs: boolean;
  /** It asks for no more, and the policy lets such a plugin in. */
  readonly letIn: boolean;
}

/**
 * Compared with the pinned version; where that is not known (the process has started anew) with the grant itself, which bounds
 * it; only where nobody is let in unasked, with whatever version was loaded before. Pure.
 */
export function judgeUpdate(question: UpdateQuestion): Update {
  const { pinned, former, recovery = "replay", ...grant } = question;
  const unasked = policyEntry(grant.policy, grant.id)?.update === "same-grant";
  const version = pinned ?? (unasked ? undefined : former);
  const asked = askedStanding(grant);
  if (version) {
    const found = differences(askedStanding({ ...grant, manifest: version.manifest }), asked);
    const to = version === pinned ? "the granted version" : "the version before it";
    return update(found, found, unasked, to, "asks for the same");
  }
  const given = { ...grantedStanding(grant), recovery };
  const effective = effectiveGrant(grant);
  // A grant says how much, not how little: what is below it is no difference.
  const found = differences(given, asked).filter(({ way }) => way !== "less");
  // What is asked for over a limit that the policy names is cut down to it; what is missing is not.
  const decisive = effective.missing.length > 0 ? found : differences(given, standingOf(effective));
  return update(found, decisive, unasked, "its grant", "asks for no more");
}

function update(
  found: readonly Difference[],
  decisive: readonly Difference[],
  unasked: boolean,
  to: string,
  same: string,
): Update {
  const more = decisive.some(({ way }) => way === "more");
  const differs = found.length > 0;
  const not = unasked && more ? '; "update": "same-grant" does not cover that' : "";
  const what = differs ? `: ${differenceText(found)}` : `, it ${same}`;
  return { text: `compared with ${to}${what}${not}`, differs, letIn: unasked && !more };
}

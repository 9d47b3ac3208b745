/** The command line that grants a plugin what it asks for, as error texts print it. */
import type { Missing } from "./intersect.js";

/** Where the plugin and its policy are. */
export interface GrantPlaces {
  /** The policy's file; absent: the one the command takes by itself. */
  readonly policy?: string | undefined;
  /** The plugins folder; absent: the one the command takes by itself. */
  readonly plugins?: string | undefined;
}

/** The policy's file where none is named. */
export const DEFAULT_POLICY_FILE = "bulkhead.config.json";

/** The exact line, ready for a shell: `bulkhead grant ID --policy FILE [--plugins DIR]`. */
export function grantCommand(id: string, places: GrantPlaces = {}): string {
  const words = ["bulkhead", "grant", id, "--policy", places.policy ?? DEFAULT_POLICY_FILE];
  if (places.plugins !== undefined) words.push("--plugins", places.plugins);
  return words.map(quoted).join(" ");
}

/** What is missing, in words: `scope "global" (granted: "local"), netlink`. */
export function missingText(missing: readonly Missing[]): string {
  return missing
    .map(({ permission, asked, granted }) => {
      const wish = asked === true ? "" : ` ${JSON.stringify(asked)}`;
      return `${permission}${wish}${granted === null ? "" : ` (granted: ${JSON.stringify(granted)})`}`;
    })
    .join(", ");
}

/**
 * Limits that no `bulkhead grant` mends, in words: those that must be named and are not, and words on which manifest and policy
 * differ. Undefined where there is none, or where something is not granted at all, which comes first.
 */
export function limitsText(id: string, missing: readonly Missing[], policyFile?: string): string | undefined {
  const limits = missing.filter(({ permission }) => permission.includes("."));
  if (limits.length === 0 || limits.length < missing.length) return undefined;
  const where = policyFile ?? "the policy";
  const texts = limits.map(({ permission, asked, granted, unnamed }) => {
    const at = `plugins.${id}.grant.${permission}`;
    return unnamed
      ? `${permission} is named by neither its manifest nor ${where}, or they have nothing in common; write it at ${at}`
      : `its manifest asks for ${permission} ${JSON.stringify(asked)}, ${where} gives ${JSON.stringify(granted)}; make them agree at ${at}`;
  });
  return texts.join("; ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

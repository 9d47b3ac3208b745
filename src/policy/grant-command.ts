/** The command line that grants a plugin what it asks for, as printed in error texts. */
import { type Limits, PERMISSIONS, type PermissionRow } from "../permissions/catalogue.js";
import { clashingPrefixes } from "../permissions/netlink/grant.js";
import { DEFAULT_POLICY_FILE } from "./default-file.js";
import type { Missing } from "./intersect.js";
import { netlinkPrefixes, type Policy, policyEntry } from "./schema.js";

/** Where the plugin and its policy are. */
export interface GrantPlaces {
  /** The policy's file; absent: the command's default. */
  readonly policy?: string | undefined;
  /** The plugins folder; absent: the command's default. */
  readonly plugins?: string | undefined;
}

/** Returns the exact line, ready for a shell: `bulkhead grant ID --policy FILE [--plugins DIR]`. */
export function grantCommand(id: string, places: GrantPlaces = {}): string {
  const words = ["bulkhead", "grant", id, "--policy", places.policy ?? DEFAULT_POLICY_FILE];
  if (places.plugins !== undefined) words.push("--plugins", places.plugins);
  return words.map(quoted).join(" ");
}

/** Returns the line that grants what is missing, with an example for each limit that the operator still has to name. */
export function grantingCommand(id: string, missing: readonly Missing[], policy: Policy, places: GrantPlaces): string {
  const kept = (policyEntry(policy, id)?.revoked ?? {}) as Readonly<Record<string, unknown>>;
  const settings = missing.flatMap(({ permission, asked, granted, optional }) => {
    if (granted !== null || !Object.hasOwn(PERMISSIONS, permission)) return [];
    const { needed = [] } = (PERMISSIONS as Readonly<Record<string, PermissionRow>>)[permission] ?? {};
    const named = [asked, kept[permission]].flatMap((one) => (typeof one === "object" && one ? Object.keys(one) : []));
    const unset = needed.filter((limit) => !named.includes(limit)).map((limit) => `${permission}.${limit}`);
    // An optional permission is granted only where an option names it.
    if (optional && unset.length === 0) return [`--set ${permission}`];
    return unset.map((setting) => settingWords(setting, policy));
  });
  return [grantCommand(id, places), ...settings].join(" ");
}

/** Describes what is missing: `scope "global" (granted: "local"), netlink`. */
export function missingText(missing: readonly Missing[]): string {
  return missing
    .map(({ permission, asked, granted }) => {
      const wish = asked === true ? "" : ` ${JSON.stringify(asked)}`;
      return `${permission}${wish}${granted === null ? "" : ` (granted: ${JSON.stringify(granted)})`}`;
    })
    .join(", ");
}

/**
 * Describes limits that a plain `bulkhead grant` cannot settle: required but unnamed ones, and those on which manifest and policy
 * differ; the example repeats the options that were `typed`. Undefined if there are none, or if something is not granted at all.
 */
export function limitsText(
  id: string,
  missing: readonly Missing[],
  policy: Policy,
  places: GrantPlaces,
  typed: readonly string[] = [],
): string | undefined {
  const limits = missing.filter(({ permission }) => permission.includes("."));
  if (limits.length === 0 || limits.length < missing.length) return undefined;
  const where = places.policy ?? "the policy";
  const unset = limits.filter(({ unnamed }) => unnamed).map(({ permission }) => settingWords(permission, policy));
  const line =
    unset.length === 0 ? [] : [`for example: ${[grantCommand(id, places), ...typed.map(quoted), ...unset].join(" ")}`];
  const texts = limits.map(({ permission, asked, granted, unnamed }) => {
    const at = `plugins.${id}.grant.${permission}`;
    return unnamed
      ? `${permission} is named by neither its manifest nor ${where}, or they have nothing in common; write it at ${at}`
      : `its manifest asks for ${permission} ${JSON.stringify(asked)}, ${where} gives ${JSON.stringify(granted)}; make them agree at ${at}`;
  });
  return [...texts, ...line].join("; ");
}

/** Returns the option that names a limit, with an example. */
function settingWords(setting: string, policy: Policy): string {
  return `--set ${quoted(`${setting}=${example(setting, policy)}`)}`;
}

/** Returns an example value for a limit: the catalogue's stand-in; for a link prefix, one that clashes with no other plugin's. */
function example(permission: string, policy: Policy): string {
  const [name = "", limit = ""] = permission.split(".");
  if (permission === "netlink.prefix") return freePrefix(policy);
  const row = (PERMISSIONS as Readonly<Record<string, PermissionRow>>)[name];
  const value = (row?.tried as Limits | undefined)?.[limit];
  return value === undefined ? "VALUE" : String(value);
}

function freePrefix(policy: Policy): string {
  const taken = netlinkPrefixes(policy.plugins ?? {}).map(([plugin, prefix]) => [plugin, prefix] as const);
  for (let n = 0; ; n++) {
    const prefix = n === 0 ? "bh" : `n${n}`;
    // "" is not a valid plugin id, so it is not in `taken`.
    if (clashingPrefixes([...taken, ["", prefix]]) === undefined) return prefix;
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

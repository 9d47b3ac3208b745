/** Computes what one plugin may do: its manifest's requests, bounded by the operator's policy. */
import { DRIVER_METHODS, OPTIONAL_DRIVER_METHODS } from "../driverapi/constants.js";
import type { DriverMethod, OptionalDriverMethod, Scope } from "../driverapi/types.js";
import { ISOLATIONS, type Isolation } from "../isolation/link.js";
import { PERMISSIONS, type PermissionLimits, type PermissionRow } from "../permissions/catalogue.js";
import {
  type AskedPermissions,
  grantedPermissions,
  harmlessPermissions,
  intersect,
  type Missing,
} from "./intersect.js";
import { DEFAULTS } from "./limits.js";
import { eachLimit, type PluginLimitName } from "./manifest/plugin-limits.js";
import type { Manifest } from "./manifest/schema.js";
import { type DriverOptions, type Policy, policyEntry } from "./schema.js";

/** Permissions in force, every limit resolved. A name that is absent is not granted. */
export type EffectivePermissions = { readonly [N in keyof PermissionLimits]?: PermissionLimits[N] };

/** What a plugin may do, and how it is run. Frozen. */
export interface Effective extends Readonly<Record<PluginLimitName, number>> {
  readonly scope: Scope;
  /** Network types the plugin may register. */
  readonly networkTypes: readonly string[];
  readonly permissions: EffectivePermissions;
  /** Requested and not granted; if not empty, the plugin stays `awaiting-grant`. */
  readonly missing: readonly Missing[];
  /** All deadlines, in milliseconds; `default`: of methods that are not named anywhere. */
  readonly timeouts: { readonly [K in DriverMethod | OptionalDriverMethod | "init" | "default"]: number };
  /** "dedicated" whenever a permission reaches beyond the plugin itself. */
  readonly isolation: Isolation;
  /** Arguments of `config()`, by network type. */
  readonly options: DriverOptions;
  readonly sha256: string | undefined;
  readonly recovery: "replay" | "self";
}

/** Argument of `effectiveGrant`. */
export interface GrantQuestion {
  readonly id: string;
  readonly manifest: Manifest | undefined;
  readonly policy: Policy;
  /** The host's isolation for plugins whose policy names none. Default: "process". */
  readonly hostIsolation?: Isolation | undefined;
  /** True for tests' hosts: every plugin runs in a thread, regardless of its grant. */
  readonly threadsOnly?: boolean;
  /** The known permissions; for tests. */
  readonly catalogue?: Readonly<Record<string, PermissionRow>>;
}

/**
 * Returns what a plugin asks for: its manifest's `permissions`, and the optional ones that the policy names. Without any in
 * the manifest: what its policy names, or else the harmless set.
 */
export function askedPermissions(question: Omit<GrantQuestion, "hostIsolation">): AskedPermissions {
  const { id, manifest, policy, catalogue = PERMISSIONS } = question;
  const { scope: _, ...named } = policyEntry(policy, id)?.grant ?? {};
  const names = Object.keys(named);
  if (manifest?.permissions !== undefined) {
    const optional = Object.entries(manifest.optionalPermissions ?? {}).filter(([name]) => names.includes(name));
    return { ...Object.fromEntries(optional), ...manifest.permissions } as AskedPermissions;
  }
  return names.length > 0
    ? Object.fromEntries(names.map((name) => [name, true as const]))
    : harmlessPermissions(catalogue);
}

/** Returns the scope a plugin asks for. A plugin without a manifest cannot ask, and takes what its policy names. */
export function askedScope({ id, manifest, policy }: Pick<GrantQuestion, "id" | "manifest" | "policy">): Scope {
  return manifest === undefined ? (policyEntry(policy, id)?.grant?.scope ?? "local") : (manifest.scope ?? "local");
}

/** Returns what the plugin `id` may do. Pure; both sides have been parsed. */
export function effectiveGrant(question: GrantQuestion): Effective {
  const { id, manifest, policy, catalogue = PERMISSIONS } = question;
  const entry = policyEntry(policy, id) ?? {};
  const { scope: grantedScope = "local", ...grantedNames } = entry.grant ?? {};

  const wishedScope = askedScope(question);
  const granted = grantedPermissions(grantedNames as AskedPermissions, catalogue);
  const { permissions, missing } = intersect(askedPermissions(question), granted, catalogue);
  const scopeMissing = wishedScope === "global" && grantedScope === "local";
  const wishedTypes = manifest?.networkTypes ?? [id];
  const mayRegister = (type: string): boolean => entry.networkTypes?.includes(type) !== false;
  const typesMissing = wishedTypes.filter((type) => !mayRegister(type));

  return Object.freeze({
    scope: wishedScope === "global" && grantedScope === "global" ? "global" : "local",
    networkTypes: Object.freeze(wishedTypes.filter(mayRegister)),
    permissions: Object.freeze(permissions as EffectivePermissions),
    missing: Object.freeze([
      ...(scopeMissing ? [Object.freeze({ permission: "scope", asked: wishedScope, granted: grantedScope })] : []),
      ...typesMissing.map((asked) => Object.freeze({ permission: "networkTypes", asked, granted: null })),
      ...missing,
    ]),
    timeouts: effectiveTimeouts(manifest, entry, policy.defaults ?? {}),
    ...eachLimit((row, name) =>
      lower(manifest?.limits?.[name], entry.limits?.[name] ?? policy.defaults?.limits?.[name] ?? row.default),
    ),
    isolation: effectiveIsolation(question, Object.keys(permissions)),
    options: entry.options ?? Object.freeze({}),
    sha256: entry.sha256?.toLowerCase(),
    recovery: manifest?.recovery ?? "replay",
  });
}

/** Computes all deadlines: the lower of the manifest's value and the policy's, each the most specific one it has. */
function effectiveTimeouts(
  manifest: Manifest | undefined,
  entry: Policy["defaults"] & object,
  defaults: Policy["defaults"] & object,
): Effective["timeouts"] {
  const wish = manifest?.timeouts ?? {};
  const own = entry.timeouts ?? {};
  const common = defaults.timeouts ?? {};
  const methods = [...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS].map((method) => {
    const policy = own[method] ?? own.default ?? common[method] ?? common.default ?? DEFAULTS.callMs;
    return [method, lower(wish[method] ?? wish.default, policy)] as const;
  });
  // `default` applies to driver calls only: a slow createNetwork does not justify an equally long `init`.
  const init = ["init", lower(wish.init, own.init ?? common.init ?? DEFAULTS.initMs)] as const;
  const byDefault = ["default", lower(wish.default, own.default ?? common.default ?? DEFAULTS.callMs)] as const;
  return Object.freeze(Object.fromEntries([...methods, init, byDefault])) as Effective["timeouts"];
}

function lower(wish: number | undefined, bound: number): number {
  return wish === undefined ? bound : Math.min(wish, bound);
}

/** Returns the operator's isolation, or a stronger one of the manifest: a manifest never weakens it. */
function effectiveIsolation(question: GrantQuestion, permissions: readonly string[]): Isolation {
  const { id, manifest, policy, hostIsolation = "process", threadsOnly = false, catalogue = PERMISSIONS } = question;
  if (threadsOnly) return "thread";
  // A permission outside the harmless set reaches beyond the plugin itself: its holder does not share its process.
  const rows = catalogue as Readonly<Record<string, PermissionRow>>;
  if (permissions.some((one) => rows[one]?.harmless !== true)) return "dedicated";
  const operator = policyEntry(policy, id)?.isolation ?? policy.defaults?.isolation ?? hostIsolation;
  const wish = manifest?.isolation ?? operator;
  return ISOLATIONS.indexOf(wish) > ISOLATIONS.indexOf(operator) ? wish : operator;
}

/** The terms a plugin runs on: what it asks for and what it is given, in one form that can be compared. */
import type { DriverMethod, OptionalDriverMethod, Scope } from "../driverapi/types.js";
import type { Isolation } from "../isolation/link.js";
import type { Limits } from "../permissions/catalogue.js";
import { askedPermissions, askedScope, type Effective, effectiveGrant, type GrantQuestion } from "./effective.js";
import { eachLimit, type PluginLimitName } from "./manifest/plugin-limits.js";
import type { Manifest, PermissionSet } from "./manifest/schema.js";
import { policyEntry } from "./schema.js";

/** Every known limit has a value. */
export interface Terms {
  readonly scope: Scope;
  readonly networkTypes: readonly string[];
  readonly permissions: Readonly<Record<string, Limits>>;
  readonly limits: Readonly<Record<PluginLimitName, number>>;
  readonly timeouts: { readonly [K in DriverMethod | OptionalDriverMethod | "init" | "default"]: number };
  readonly isolation: Isolation;
  readonly recovery: "replay" | "self";
}

/** Returns the terms in force. */
export function termsOf(effective: Effective): Terms {
  const { scope, networkTypes, permissions, timeouts, isolation, recovery } = effective;
  const limits = eachLimit((_, name) => effective[name]);
  return { scope, networkTypes, permissions, limits, timeouts, isolation, recovery };
}

/** Returns what a plugin asks for; where its manifest leaves something open, the granted value. */
export function askedTerms(question: GrantQuestion): Terms {
  const { id, manifest } = question;
  const given = termsOf(effectiveGrant(question));
  const permissions = Object.entries(askedPermissions(question)).map(([name, asked]) => {
    const limits = Object.hasOwn(given.permissions, name) ? given.permissions[name] : {};
    return [name, { ...limits, ...(asked === true ? {} : asked) }] as const;
  });
  const { default: method, ...named } = manifest?.timeouts ?? {};
  const timeouts = Object.entries(given.timeouts).map(
    ([key, ms]) => [key, key === "init" ? ms : (method ?? ms)] as const,
  );
  return {
    ...given,
    scope: askedScope(question),
    networkTypes: manifest?.networkTypes ?? [id],
    permissions: Object.fromEntries(permissions),
    limits: { ...given.limits, ...manifest?.limits },
    timeouts: { ...(Object.fromEntries(timeouts) as Terms["timeouts"]), ...named },
  };
}

/**
 * Returns what the policy gives to `id`, regardless of its manifest: the permissions it names, or else the harmless set, each
 * with the policy's limits or the default ones. Network types: those the policy names, or else the one named like the plugin.
 */
export function grantedTerms(question: GrantQuestion): Terms {
  const { id, policy } = question;
  const entry = policyEntry(policy, id);
  const { scope = "local" } = entry?.grant ?? {};
  const names = Object.keys(askedPermissions({ ...question, manifest: undefined }));
  const asksForAll: Manifest = {
    scope,
    networkTypes: entry?.networkTypes ?? [id],
    permissions: Object.fromEntries(names.map((name) => [name, true])) as PermissionSet,
  };
  const effective = effectiveGrant({ ...question, manifest: asksForAll });
  return termsOf(effective);
}

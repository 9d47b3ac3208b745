/** A policy entry that gives a plugin all it asks for: to try one out, in a temporary host. */
import type { Limits, PermissionRow } from "../permissions/catalogue.js";
import { PERMISSIONS } from "../permissions/catalogue.js";
import { askedPermissions, askedScope } from "./effective.js";
import type { Manifest } from "./manifest/schema.js";
import type { Grant, PolicyEntry } from "./schema.js";

/**
 * Returns permissions, scope, limits and deadlines as requested, with stand-ins for limits that a manifest leaves to the
 * operator.
 */
export function grantAll(id: string, manifest: Manifest | undefined): PolicyEntry & { readonly grant: Grant } {
  const question = { id, manifest, policy: {} };
  const permissions = Object.entries(askedPermissions(question)).map(([name, asked]) => {
    const row = (PERMISSIONS as Readonly<Record<string, PermissionRow>>)[name];
    const tried = (row?.tried ?? {}) as Limits;
    const limits = { ...tried, ...(asked === true ? {} : asked) };
    return [name, asked === true && Object.keys(tried).length === 0 ? true : limits];
  });
  return {
    grant: { scope: askedScope(question), ...(Object.fromEntries(permissions) as Grant) },
    ...(manifest?.limits ? { limits: manifest.limits } : {}),
    ...(manifest?.timeouts ? { timeouts: manifest.timeouts } : {}),
  };
}

/** A policy's entry that gives a plugin all it asks for: for trying one out, in a host that is thrown away. */
import type { Limits, PermissionRow } from "../../permissions/catalogue.js";
import { PERMISSIONS } from "../../permissions/catalogue.js";
import type { Manifest } from "../manifest/schema.js";
import { askedPermissions, askedScope } from "./effective.js";
import type { Grant, PolicyEntry } from "./schema.js";

/**
 * Permissions, scope, limits and deadlines as asked for; limits that a manifest leaves to the operator are stood in
 * for.
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

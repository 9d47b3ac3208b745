/**
 * `--set` of `bulkhead grant`: `PERMISSION.LIMIT=VALUE` sets a limit with the grant, and `PERMISSION` alone grants an optional
 * permission as the manifest asks for it.
 */

import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { type LimitValue, PERMISSIONS, type PermissionRow } from "../permissions/catalogue.js";

/** A permission to be granted, with one of its limits or without. */
export interface GrantSetting {
  readonly permission: string;
  readonly limit?: { readonly name: string; readonly value: LimitValue };
  /** What the operator wrote. */
  readonly text: string;
}

/** Parses one setting; lists are separated by commas. Throws `ERR_USAGE`, which says what is valid. */
export function parseSetting(text: string): GrantSetting {
  const [, permission = "", limit, given = ""] = /^([a-z]+)(?:\.([A-Za-z]+)=(.*))?$/s.exec(text) ?? [];
  const rows = PERMISSIONS as Readonly<Record<string, PermissionRow>>;
  const row = Object.hasOwn(rows, permission) ? rows[permission] : undefined;
  if (!row)
    throw wrong(text, `it must be PERMISSION.LIMIT=VALUE or PERMISSION, with one of ${Object.keys(rows).join(", ")}`);
  if (limit === undefined) return { permission, text };
  for (const value of readings(given)) {
    if (row.limits.safeParse({ [limit]: value }).success) return { permission, limit: { name: limit, value }, text };
  }
  const [issue] = row.limits.safeParse({ [limit]: given }).error?.issues ?? [];
  throw wrong(text, `${permission}.${limit}: ${issue?.message ?? "not a value of this limit"}`);
}

/** Returns what a text may mean, the simplest first: the limit's schema chooses. */
function readings(text: string): readonly LimitValue[] {
  const items = text.split(",");
  const numbers = items.map(Number);
  const switches = text === "true" || text === "false" ? [text === "true"] : [];
  return [...switches, text, items, Number(text), numbers];
}

function wrong(text: string, why: string): DriverError {
  return new DriverError("ERR_USAGE", `--set ${quote(text)}: ${why}`);
}

/** `--set PERMISSION.LIMIT=VALUE` of `bulkhead grant`: limits that an operator sets with the grant. */

import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { type LimitValue, PERMISSIONS, type PermissionRow } from "../permissions/catalogue.js";

/** One limit to be written into the grant. */
export interface GrantSetting {
  readonly permission: string;
  readonly limit: string;
  readonly value: LimitValue;
}

/** Parses one setting; lists are separated by commas. Throws `ERR_USAGE`, which says what is valid. */
export function parseSetting(text: string): GrantSetting {
  const [, permission = "", limit = "", given = ""] = /^([a-z]+)\.([A-Za-z]+)=(.*)$/s.exec(text) ?? [];
  const rows = PERMISSIONS as Readonly<Record<string, PermissionRow>>;
  const row = Object.hasOwn(rows, permission) ? rows[permission] : undefined;
  if (!row) throw wrong(text, `it must be PERMISSION.LIMIT=VALUE, with one of ${Object.keys(rows).join(", ")}`);
  for (const value of readings(given)) {
    if (row.limits.safeParse({ [limit]: value }).success) return { permission, limit, value };
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

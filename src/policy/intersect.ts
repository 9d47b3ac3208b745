/** Intersects what is asked for with what is granted: the permissions in force, and those that are missing. */

import type { Limits, LimitValue, PermissionRow } from "../permissions/catalogue.js";
import { commonRanges } from "../permissions/firewall/ports.js";
import { narrower } from "../permissions/netlink/cidr.js";

/** Permissions by name, each `true` or some of its limits. */
export type AskedPermissions = Readonly<Record<string, true | Limits>>;

/** Something a plugin asks for and its policy does not give. */
export interface Missing {
  /** The permission's name, `scope`, `networkTypes`, or one limit of a permission: `netlink.subnets`. */
  readonly permission: string;
  readonly asked: string | true | Limits;
  /** What is given instead: the lower scope, the policy's value for the limit, or null if it is not granted at all. */
  readonly granted: string | null;
  /** The limit is required, and neither side names it, or their values have nothing in common. */
  readonly unnamed?: true;
  /** The plugin can do without the permission. */
  readonly optional?: true;
}

/** Permissions in force, with every limit resolved, and those missing. */
export interface Intersection {
  readonly permissions: Readonly<Record<string, Limits>>;
  readonly missing: readonly Missing[];
}

/**
 * Returns the permissions granted: the harmless ones with their default limits, each replaced by the policy's own value for
 * it, and the others that the policy names.
 */
export function grantedPermissions(
  grant: AskedPermissions,
  catalogue: Readonly<Record<string, PermissionRow>>,
): Readonly<Record<string, true | Limits>> {
  const granted: Record<string, true | Limits> = {};
  for (const [name, row] of Object.entries(catalogue)) {
    const own = Object.hasOwn(grant, name) ? grant[name] : undefined;
    if (own !== undefined) granted[name] = own;
    else if (row.harmless) granted[name] = row.defaults as Limits;
  }
  return granted;
}

/** Returns the harmless default set: every harmless permission, with whatever limits it is granted. */
export function harmlessPermissions(catalogue: Readonly<Record<string, PermissionRow>>): AskedPermissions {
  return Object.fromEntries(
    Object.entries(catalogue).flatMap(([name, row]) => (row.harmless ? [[name, true as const]] : [])),
  );
}

/** Intersects what is asked for with what is granted. A limit asked for above the grant's is lowered silently. */
export function intersect(
  asked: AskedPermissions,
  granted: AskedPermissions,
  catalogue: Readonly<Record<string, PermissionRow>>,
): Intersection {
  const permissions: Record<string, Limits> = {};
  const missing: Missing[] = [];
  for (const [name, row] of Object.entries(catalogue)) {
    const wish = Object.hasOwn(asked, name) ? asked[name] : undefined;
    if (wish === undefined) continue;
    const given = Object.hasOwn(granted, name) ? granted[name] : undefined;
    if (given === undefined) missing.push(Object.freeze({ permission: name, asked: wish, granted: null }));
    else {
      const limits = intersectLimits(wish === true ? {} : wish, given === true ? {} : given, row);
      permissions[name] = limits;
      missing.push(...missingLimits(name, wish === true ? {} : wish, limits, row, given === true ? {} : given));
    }
  }
  return { permissions, missing };
}

/** Returns text limits that differ, and required limits that are empty. */
function missingLimits(
  permission: string,
  asked: Limits,
  limits: Limits,
  row: PermissionRow,
  given: Limits,
): readonly Missing[] {
  const differing = Object.entries(asked).flatMap(([name, wish]): Missing[] => {
    const granted = limits[name];
    if (typeof wish !== "string" || typeof granted !== "string" || wish === granted) return [];
    return [{ permission: `${permission}.${name}`, asked: wish, granted }];
  });
  const unnamed = (row.needed ?? []).flatMap((name): Missing[] => {
    const value = limits[name];
    const isNamedEmpty = row.mayBeEmpty?.includes(name) && isEmpty(given[name]);
    if (value !== undefined && (isNamedEmpty || !isEmpty(value))) return [];
    return [{ permission: `${permission}.${name}`, asked: true, granted: null, unnamed: true }];
  });
  return [...differing, ...unnamed].map((one) => Object.freeze(one));
}

function isEmpty(value: LimitValue | undefined): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Resolves each limit: absent on one side, the other's; absent on both, the default; else the stricter. */
function intersectLimits(asked: Limits, granted: Limits, row: PermissionRow): Limits {
  const limits: Record<string, LimitValue> = {};
  for (const name of new Set([...Object.keys(row.defaults), ...Object.keys(asked), ...Object.keys(granted)])) {
    const wish = Object.hasOwn(asked, name) ? asked[name] : undefined;
    // A limit that only the policy may widen keeps its default if the policy does not name it.
    const closed = !Object.hasOwn(granted, name) && row.explicit?.includes(name);
    const given = Object.hasOwn(granted, name) ? granted[name] : undefined;
    const value = closed
      ? row.defaults[name]
      : wish === undefined
        ? (given ?? row.defaults[name])
        : given === undefined
          ? wish
          : row.networks?.includes(name)
            ? Object.freeze(narrower(wish as readonly string[], given as readonly string[]))
            : row.ranges?.includes(name)
              ? Object.freeze(commonRanges(wish as readonly string[], given as readonly string[]))
              : stricter(wish, given, row.floors.includes(name));
    if (value !== undefined) limits[name] = value;
  }
  return Object.freeze(limits);
}

/**
 * Returns the stricter of two values of one limit: of numbers the lower (of a floor the higher), of lists the intersection,
 * of switches `and`.
 */
function stricter(asked: LimitValue, granted: LimitValue, floor: boolean): LimitValue {
  if (typeof asked === "number" && typeof granted === "number")
    return floor ? Math.max(asked, granted) : Math.min(asked, granted);
  if (typeof asked === "boolean" && typeof granted === "boolean") return asked && granted;
  if (typeof asked === "object" && typeof granted === "object")
    return Object.freeze(asked.filter((item) => granted.includes(item)));
  // Both sides have the same schema, so the types agree; if they ever did not, the operator's value would apply.
  return granted;
}

/** What is asked and what is granted, made one: the permissions in force and those that are missing. */

import type { Limits, LimitValue, PermissionRow } from "../../permissions/catalogue.js";
import { commonRanges } from "../../permissions/firewall/ports.js";
import { narrower } from "../../permissions/netlink/cidr.js";

/** Permissions by name, each `true` or some of its limits. */
export type AskedPermissions = Readonly<Record<string, true | Limits>>;

/** Something a plugin asks for and its policy does not give. */
export interface Missing {
  /** The permission's name, `scope`, `networkTypes`, or one limit of a permission: `netlink.subnets`. */
  readonly permission: string;
  readonly asked: string | true | Limits;
  /** What is given instead: the lower scope, another word for the limit, or null for what is not granted at all. */
  readonly granted: string | null;
  /** The limit must be named, and neither side does, or nothing is left of what both name. */
  readonly unnamed?: true;
}

/** Permissions in force, with every limit resolved, and those missing. */
export interface Intersection {
  readonly permissions: Readonly<Record<string, Limits>>;
  readonly missing: readonly Missing[];
}

/**
 * The permissions granted: the harmless ones with their default limits, each replaced by the policy's own word for it,
 * and what else the policy names.
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

/** The harmless default set: every harmless permission, with whatever limits it is granted. */
export function harmlessPermissions(catalogue: Readonly<Record<string, PermissionRow>>): AskedPermissions {
  return Object.fromEntries(
    Object.entries(catalogue).flatMap(([name, row]) => (row.harmless ? [[name, true as const]] : [])),
  );
}

/** The intersection of what is asked with what is granted. A limit asked above the grant's is lowered silently. */
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
      missing.push(...missingLimits(name, wish === true ? {} : wish, limits, row));
    }
  }
  return { permissions, missing };
}

/** Words that differ, and limits that must be there and of which nothing is. */
function missingLimits(permission: string, asked: Limits, limits: Limits, row: PermissionRow): readonly Missing[] {
  const differing = Object.entries(asked).flatMap(([name, wish]): Missing[] => {
    const granted = limits[name];
    if (typeof wish !== "string" || typeof granted !== "string" || wish === granted) return [];
    return [{ permission: `${permission}.${name}`, asked: wish, granted }];
  });
  const unnamed = (row.needed ?? []).flatMap((name): Missing[] => {
    const value = limits[name];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return [];
    return [{ permission: `${permission}.${name}`, asked: true, granted: null, unnamed: true }];
  });
  return [...differing, ...unnamed].map((one) => Object.freeze(one));
}

/** Limit by limit: absent on one side, the other's; absent on both, the default; else the stricter. */
function intersectLimits(asked: Limits, granted: Limits, row: PermissionRow): Limits {
  const limits: Record<string, LimitValue> = {};
  for (const name of new Set([...Object.keys(row.defaults), ...Object.keys(asked), ...Object.keys(granted)])) {
    const wish = Object.hasOwn(asked, name) ? asked[name] : undefined;
    // What only the policy opens stays as it is by default where the policy is silent.
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

/** The stricter of two values of one limit: numbers the lower (of a floor the higher), lists the intersection, switches `and`. */
function stricter(asked: LimitValue, granted: LimitValue, floor: boolean): LimitValue {
  if (typeof asked === "number" && typeof granted === "number")
    return floor ? Math.max(asked, granted) : Math.min(asked, granted);
  if (typeof asked === "boolean" && typeof granted === "boolean") return asked && granted;
  if (typeof asked === "object" && typeof granted === "object")
    return Object.freeze(asked.filter((item) => granted.includes(item)));
  // The schemas of both sides are one, so the kinds agree; were they ever not to, the operator's word holds.
  return granted;
}

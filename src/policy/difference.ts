/** Compares the terms of two versions: what was added, removed, raised, lowered. Pure. */

import { escapeLine } from "../common/escape.js";
import { ISOLATIONS } from "../isolation/link.js";
import { type Limits, type LimitValue, PERMISSIONS, type PermissionRow } from "../permissions/catalogue.js";
import { covers } from "../permissions/firewall/ports.js";
import { contains, networkOf } from "../permissions/netlink/cidr.js";
import { DOCUMENT_LIMITS } from "./limits.js";
import type { Terms } from "./terms.js";

/** One difference: `+netlink {"max":4}`, `-store`, `store.bytes 1000 → 2000`, `netlink.kinds +"veth"`. */
export interface Difference {
  readonly text: string;
  /** `more`: something is newly allowed, or may be; `gone`: a whole permission, type or scope was removed. */
  readonly way: "more" | "less" | "gone";
}

/** Returns the differences. `catalogue`: the known permissions; for tests. */
export function differences(
  before: Terms,
  after: Terms,
  catalogue: Readonly<Record<string, PermissionRow>> = PERMISSIONS as never,
): readonly Difference[] {
  return [
    ...words("scope", before.scope, after.scope, after.scope === "global" ? "more" : "gone"),
    ...names("type ", before.networkTypes, after.networkTypes),
    ...permissions(before.permissions, after.permissions, catalogue),
    ...numbers("limits", before.limits, after.limits),
    ...timeouts(before.timeouts, after.timeouts),
    ...words(
      "isolation",
      before.isolation,
      after.isolation,
      weaker(before.isolation, after.isolation) ? "more" : "less",
    ),
    // Either way another party decides which networks exist, so the operator must look at it.
    ...words("recovery", before.recovery, after.recovery, "more"),
  ];
}

/** Returns the differences in one line of bounded length; "" if there are none. */
export function differenceText(found: readonly Difference[]): string {
  return escapeLine(found.map(({ text }) => text).join(", "), DOCUMENT_LIMITS.differenceChars);
}

function permissions(
  before: Terms["permissions"],
  after: Terms["permissions"],
  catalogue: Readonly<Record<string, PermissionRow>>,
): readonly Difference[] {
  return [...new Set([...Object.keys(after), ...Object.keys(before)])].flatMap((name): readonly Difference[] => {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(after, name) ? after[name] : undefined;
    if (is === undefined) return [{ text: `-${name}`, way: "gone" }];
    if (was !== undefined) return limits(name, was, is, catalogue[name]);
    const limited = Object.keys(is).length > 0 ? ` ${JSON.stringify(is)}` : "";
    return [{ text: `+${name}${limited}`, way: "more" }];
  });
}

function limits(permission: string, before: Limits, after: Limits, row: PermissionRow | undefined): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): Difference[] => {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const is = Object.hasOwn(after, name) ? after[name] : undefined;
    const what = `${permission}.${name}`;
    if (Array.isArray(was) && Array.isArray(is)) return lists(what, was, is, containment(row, name));
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [changed(what, was, is, wider(was, is, row?.floors.includes(name) === true))];
  });
}

/** Returns true if a limit has become wider. An unknown limit counts as a tight one. */
function wider(was: LimitValue | undefined, is: LimitValue | undefined, floor: boolean): boolean {
  if (typeof was === "number" && typeof is === "number") return floor ? is < was : is > was;
  if (typeof was === "boolean" && typeof is === "boolean") return is;
  return is !== undefined;
}

/** Returns how one item of a list can contain another; undefined if items are independent. */
function containment(
  row: PermissionRow | undefined,
  name: string,
): ((outer: string, inner: string) => boolean) | undefined {
  if (row?.networks?.includes(name)) return (outer, inner) => contains(networkOf(outer), networkOf(inner));
  return row?.ranges?.includes(name) ? covers : undefined;
}

function lists(
  what: string,
  was: readonly (string | number)[],
  is: readonly (string | number)[],
  holds: ((outer: string, inner: string) => boolean) | undefined,
): Difference[] {
  const added = is.filter((one) => !was.includes(one));
  const gone = was.filter((one) => !is.includes(one));
  if (added.length === 0 && gone.length === 0) return [];
  const within = (one: string | number): boolean => was.some((other) => holds?.(String(other), String(one)) === true);
  const more = holds ? !added.every(within) : added.length > 0;
  const text = [added, gone].flatMap((items, index) =>
    items.length === 0 ? [] : [`${index === 0 ? "+" : "-"}${items.map((one) => JSON.stringify(one)).join(",")}`],
  );
  return [{ text: `${what} ${text.join(" ")}`, way: more ? "more" : "less" }];
}

function names(what: string, was: readonly string[], is: readonly string[]): Difference[] {
  const added = is.filter((one) => !was.includes(one));
  const gone = was.filter((one) => !is.includes(one));
  return [
    ...added.map((one) => ({ text: `+${what}${JSON.stringify(one)}`, way: "more" as const })),
    ...gone.map((one) => ({ text: `-${what}${JSON.stringify(one)}`, way: "gone" as const })),
  ];
}

function words(what: string, was: string, is: string, way: Difference["way"]): Difference[] {
  return was === is ? [] : [{ text: `${what} ${shown(was)} → ${shown(is)}`, way }];
}

function numbers(
  what: string,
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Difference[] {
  return Object.entries(after).flatMap(([name, is]) => {
    const was = before[name] ?? 0;
    return was === is ? [] : [changed(`${what}.${name}`, was, is, is > was)];
  });
}

/** Compares timeouts. Methods that changed together with `default` are not named one by one. */
function timeouts(before: Terms["timeouts"], after: Terms["timeouts"]): Difference[] {
  const along = (key: string): boolean => {
    const [was, is] = [before, after].map((all) => all[key as keyof Terms["timeouts"]]);
    return key !== "default" && key !== "init" && was === before.default && is === after.default;
  };
  const apart = (all: Terms["timeouts"]): Record<string, number> =>
    Object.fromEntries(Object.entries(all).filter(([key]) => !along(key)));
  return numbers("timeouts", apart(before), apart(after));
}

function weaker(was: Terms["isolation"], is: Terms["isolation"]): boolean {
  return ISOLATIONS.indexOf(is) < ISOLATIONS.indexOf(was);
}

function changed(what: string, was: LimitValue | undefined, is: LimitValue | undefined, more: boolean): Difference {
  return { text: `${what} ${shown(was)} → ${shown(is)}`, way: more ? "more" : "less" };
}

function shown(value: LimitValue | undefined): string {
  return value === undefined ? "none" : JSON.stringify(value);
}

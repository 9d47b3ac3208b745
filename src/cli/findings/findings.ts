/** Compares what a plugin's code uses with what its manifest asks for. */
import { basename } from "node:path";
import type { Discovered } from "../../host/discovery.js";
import { PERMISSIONS, type PermissionName } from "../../permissions/catalogue.js";
import { insteadOf } from "../../worker/absence-hints.js";
import { type CodeRead, type CodeReads, codeReads } from "./code-reads.js";

/** One difference. */
export interface Finding {
  /**
   * "not-asked": used without its permission; "not-used": a permission that nothing uses; "absent": no permission gives it; "bounded": it
   * does less than elsewhere.
   */
  readonly kind: "not-asked" | "not-used" | "absent" | "bounded";
  readonly name: string;
  readonly permission?: PermissionName;
  readonly file: string | null;
  readonly line: number | null;
  readonly message: string;
}

/** Globals, and parts of them, that a permission gives. */
const GLOBALS: ReadonlyMap<string, PermissionName> = new Map<string, PermissionName>([
  ["console", "log"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"].map(
    (name) => [name, "timers"] as const,
  ),
  ...["Date.now()", "new Date()", "Date()", "performance"].map((name) => [name, "clock"] as const),
  ...["Math.random()", "crypto"].map((name) => [name, "random"] as const),
]);

/** Most findings of one kind and name: the first places are enough. */
const PLACES = 3;

const INTL = "Intl is bounded: UTC and en-US, unless you name a time zone and a locale";

/** Returns the findings, in the order of the author's lines, those about the manifest last. */
export function findings(plugin: Discovered, code: string, sourceMap: string): readonly Finding[] {
  const reads = codeReads(code, sourceMap);
  if (reads === undefined) return [];
  const { permissions, optionalPermissions = {} } = plugin.manifest ?? {};
  const all = Object.keys(PERMISSIONS) as PermissionName[];
  const asked = permissions ? Object.keys(permissions) : all.filter((name) => PERMISSIONS[name].harmless);
  const granted = new Set([...asked, ...Object.keys(optionalPermissions)]);
  const own = [...reads.globals, ...reads.powers].filter((read) => read.own).sort(byPlace);
  const found = own.flatMap((read) => judge(read, granted));
  const named = [...Object.keys(permissions ?? {}), ...Object.keys(optionalPermissions)] as PermissionName[];
  const unused = named.filter((name) => !isUsed(name, reads));
  return [...firstPlaces(found), ...unused.map((name) => notUsed(name, plugin))];
}

function judge({ name, file, line }: CodeRead, granted: ReadonlySet<string>): readonly Finding[] {
  const at = { name, file, line };
  const power = name.startsWith("powers.") ? name.slice("powers.".length) : undefined;
  const permission = power === undefined ? GLOBALS.get(name) : permissionOf(power);
  if (permission !== undefined) {
    if (granted.has(permission)) return [];
    const message = `${name} needs the permission "${permission}"; ask for it under "permissions" in the manifest`;
    return [{ kind: "not-asked", ...at, permission, message }];
  }
  if (power !== undefined) {
    const names = Object.keys(PERMISSIONS).join(", ");
    return [{ kind: "absent", ...at, message: `${name} is not a permission; the permissions are ${names}` }];
  }
  if (name === "Intl") return [{ kind: "bounded", ...at, message: INTL }];
  const instead = insteadOf(name);
  return instead === undefined ? [] : [{ kind: "absent", ...at, message: `the sandbox has no ${name}: ${instead}` }];
}

function permissionOf(power: string): PermissionName | undefined {
  return Object.hasOwn(PERMISSIONS, power) ? (power as PermissionName) : undefined;
}

function isUsed(permission: PermissionName, { globals, members }: CodeReads): boolean {
  return members.has(permission) || globals.some(({ name }) => GLOBALS.get(name) === permission);
}

function notUsed(permission: PermissionName, { manifestPath, manifestBytes }: Discovered): Finding {
  const message = `it asks for "${permission}", and nothing in its code uses that; ask for no more than it needs`;
  const file = manifestPath === undefined ? null : basename(manifestPath);
  const line = manifestBytes === undefined ? null : lineOf(permission, Buffer.from(manifestBytes).toString("utf8"));
  return { kind: "not-used", name: permission, permission, file, line, message };
}

/** Returns the line of a permission in the manifest's text. */
function lineOf(permission: string, text: string): number | null {
  const section = /"(?:optionalP|p)ermissions"\s*:/g;
  for (let match = section.exec(text); match; match = section.exec(text)) {
    const at = text.indexOf(`"${permission}"`, match.index);
    if (at >= 0) return text.slice(0, at).split("\n").length;
  }
  return null;
}

function byPlace(a: CodeRead, b: CodeRead): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** Keeps the first places of each name, and one of a line. */
function firstPlaces(sorted: readonly Finding[]): readonly Finding[] {
  const lines = new Map<string, Set<string>>();
  return sorted.filter(({ name, file, line }) => {
    const seen = lines.get(name) ?? new Set();
    const before = seen.size;
    if (before < PLACES) seen.add(`${file}:${line}`);
    lines.set(name, seen);
    return seen.size > before;
  });
}

/** Formats findings for `check`'s report. */
export function findingLines(all: readonly Finding[]): readonly string[] {
  const titles = { "not-asked": "not asked", "not-used": "not used", absent: "absent", bounded: "bounded" } as const;
  return all.map(({ kind, file, line, message }) => {
    const at = file === null ? "" : `${file}${line === null ? "" : `:${line}`}: `;
    return `  ${titles[kind].padEnd(13)}${at}${message}`;
  });
}

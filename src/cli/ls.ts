/** `bulkhead ls`: lists every plugin, what it asks for and is granted, and whether it would run. Runs no plugin code. */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import { bundleDiscovered } from "../host/bundled.js";
import { type Discovered, discoverPlugins } from "../host/discovery.js";
import { weakened } from "../host/walls.js";
import { raiseWall } from "../isolation/walls/raise.js";
import type { SandboxPolicy, WallName } from "../isolation/walls/wall.js";
import { askedPermissions, askedScope, effectiveGrant } from "../policy/effective.js";
import { grantCommand, grantingCommand, limitsText, missingText } from "../policy/grant-command.js";
import { readPolicyFile } from "../policy/policy-file.js";
import { type Policy, policyEntry } from "../policy/schema.js";
import { judgeUpdate } from "../policy/update.js";
import { permissionsText, type Report, table } from "./output.js";
import type { Places } from "./places.js";

/** One row of the list. */
interface Row {
  readonly id: string;
  readonly version: string | null;
  readonly networkTypes: readonly string[];
  readonly asks: { readonly scope: string; readonly permissions: Readonly<Record<string, unknown>> } | null;
  readonly granted: { readonly scope: string; readonly permissions: Readonly<Record<string, unknown>> } | null;
  /** Null: the host's default. */
  readonly isolation: string | null;
  readonly state: "ready" | "awaiting-grant" | "refused" | "stopped";
  readonly code: string | null;
  readonly reason: string | null;
}

/** Lists the plugins. A broken policy is an error; without a policy, the harmless permissions are granted, as in the host. */
export async function list(places: Places): Promise<Report> {
  const { policy } = await readPolicyFile(places.policy, { absent: places.policyNamed ? "error" : "empty" });
  const rows: Row[] = [];
  // Sequentially: a pinned plugin is bundled, in a process of its own.
  const found = await discoverPlugins(places.plugins);
  for (const plugin of found) rows.push(await rowFor(plugin, policy, places));
  const ids = new Set(found.map(({ id }) => id));
  const unknownIds = Object.keys(policy.plugins ?? {}).filter((id) => !ids.has(id));
  const wall = await tryWall(rows, policy, places);
  const text = [listText(rows, unknownIds, places), ...wallLines(wall)].join("\n");
  return { data: { plugins: rows, notFound: unknownIds, wall }, text };
}

/** The wall that host processes would have; not tried if every plugin runs in a thread. */
interface WallState {
  readonly sandbox: SandboxPolicy;
  /** Null: it cannot be raised, and no plugin that needs it starts. */
  readonly name: WallName | null;
  readonly weakened: string | null;
  readonly code: string | null;
  readonly reason: string | null;
}

/** Raises the wall as a host would: only that shows what this machine supports. */
async function tryWall(rows: readonly Row[], policy: Policy, places: Places): Promise<WallState | null> {
  if (!rows.some(({ isolation }) => isolation !== null && isolation !== "thread")) return null;
  const sandbox = policy.sandbox ?? "bubblewrap";
  try {
    const wall = await raiseWall(sandbox, places.policy);
    wall.release();
    const { name, lacks } = wall;
    return { sandbox, name, weakened: lacks.length > 0 ? weakened(wall) : null, code: null, reason: null };
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    return { sandbox, name: null, weakened: null, code: error.code, reason: error.message };
  }
}

function wallLines(wall: WallState | null): string[] {
  if (wall === null) return [];
  if (wall.name === null) return ["", `no plugin starts in a host process: ${wall.code}: ${wall.reason}`];
  return wall.weakened === null ? [] : ["", wall.weakened];
}

/** Says what a plugin asks for and gets under a policy, and whether it would run. */
export async function rowFor(plugin: Discovered, policy: Policy, places: Places): Promise<Row> {
  const { id, manifest, version = null, error } = plugin;
  if (error) {
    const nothing = { id, version, networkTypes: [], asks: null, granted: null, isolation: null };
    return { ...nothing, state: "refused", code: error.code, reason: error.message };
  }
  const question = { id, manifest, policy };
  const effective = effectiveGrant(question);
  const row = {
    id,
    version,
    networkTypes: effective.networkTypes,
    asks: { scope: askedScope(question), permissions: askedPermissions(question) },
    granted: { scope: effective.scope, permissions: effective.permissions },
    isolation: effective.isolation ?? null,
  };
  const where = { policy: places.policy, plugins: dirname(plugin.path) };
  const command = grantCommand(id, where);
  const changed = effective.sha256 === undefined ? undefined : await whyNotPinned(plugin, effective.sha256);
  if (changed instanceof DriverError) return { ...row, state: "refused", code: changed.code, reason: changed.message };
  const update = judgeUpdate(question);
  if (changed !== undefined && !update.accepted) {
    const reason = `${changed}; ${update.text}; review the change, then run: ${command}`;
    return { ...row, state: "awaiting-grant", code: "ERR_PLUGIN_CHANGED", reason };
  }
  if (policyEntry(policy, id)?.enabled === false)
    return { ...row, state: "stopped", code: null, reason: 'the policy stops it ("enabled": false)' };
  if (effective.missing.length === 0) return { ...row, state: "ready", code: null, reason: null };
  const reason =
    limitsText(id, effective.missing, policy, where) ??
    `it asks for ${missingText(effective.missing)}; to grant it: ${grantingCommand(id, effective.missing, policy, where)}`;
  return { ...row, state: "awaiting-grant", code: "ERR_GRANT_MISSING", reason };
}

/** Returns how the plugin's bytes differ from the pinned ones, undefined if they do not, or the error of bundling them. */
async function whyNotPinned(plugin: Discovered, pinned: string): Promise<string | DriverError | undefined> {
  try {
    const { sha256 } = await bundleDiscovered(plugin);
    if (sha256 === pinned) return undefined;
    return `its bytes have changed since it was granted (sha256 ${sha256}, pinned ${pinned})`;
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

function listText(rows: readonly Row[], unknownIds: readonly string[], places: Places): string {
  if (rows.length === 0)
    return [`no plugins in ${places.plugins.join(", ")}`, ...unknownIdLines(unknownIds, places)].join("\n");
  const cells = rows.map((row) => [
    idText(row.id),
    row.version ?? "-",
    row.networkTypes.join(", ") || "-",
    row.isolation ?? "-",
    row.asks ? `${row.asks.scope}: ${permissionsText(row.asks.permissions)}` : "-",
    row.granted ? `${row.granted.scope}: ${grantedText(row.asks?.permissions ?? {}, row.granted.permissions)}` : "-",
    row.state,
  ]);
  const reasons = rows.flatMap((row) =>
    row.reason === null ? [] : [[idText(row.id), row.state, row.code ?? [], row.reason].flat().join(": ")],
  );
  const blank = reasons.length + unknownIds.length > 0 ? [""] : [];
  const headings = ["ID", "VERSION", "TYPES", "ISOLATION", "ASKS", "GRANTED", "STATE"];
  return [table(headings, cells), ...blank, ...reasons, ...unknownIdLines(unknownIds, places)].join("\n");
}

/** Lists granted permissions, with each limit that differs from what the plugin asks for. */
function grantedText(asks: Readonly<Record<string, unknown>>, granted: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(granted).map(([name, limits]) => {
    const asked = Object.entries(typeof asks[name] === "object" ? (asks[name] as object) : {});
    const other = asked.flatMap(([limit, wish]) => {
      const given: unknown = (limits as Readonly<Record<string, unknown>>)[limit];
      return isDeepStrictEqual(given, wish)
        ? []
        : [`${limit} ${given === undefined ? "none" : JSON.stringify(given)} of ${JSON.stringify(wish)}`];
    });
    return other.length > 0 ? `${name} (${other.join("; ")})` : name;
  });
  return words.join(", ") || "-";
}

function unknownIdLines(unknownIds: readonly string[], { policy }: Places): string[] {
  return unknownIds.map((id) => `${id}: in ${policy}, but no plugin has that id`);
}

/** Quotes an invalid id: it may hold terminal control characters. */
export function idText(id: string): string {
  return /^[\w-]+$/.test(id) ? id : quote(id);
}

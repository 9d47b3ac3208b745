/** `bulkhead grant ID`: writes what the plugin asks for into the policy, with the digest of its bytes. */
import { dirname } from "node:path";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import { bundleDiscovered } from "../host/bundled.js";
import type { Discovered } from "../host/discovery.js";
import { askedPermissions, askedScope, effectiveGrant } from "../policy/effective.js";
import { grantingCommand, limitsText } from "../policy/grant-command.js";
import type { GrantSetting } from "../policy/grant-settings.js";
import type { AskedPermissions } from "../policy/intersect.js";
import { changePolicyFile, type PolicyChange } from "../policy/policy-change.js";
import { type PolicyFile, readPolicyFile } from "../policy/policy-file.js";
import { type Grant, type Policy, type PolicyEntry, policyEntry } from "../policy/schema.js";
import { judgeUpdate } from "../policy/update.js";
import { appliedText, applyToHost, type HostPlace, notServed } from "./applied.js";
import { permissionsText, type Report } from "./output.js";
import { findPlugin, type Places } from "./places.js";

/** What `grant` takes. */
export interface GrantOptions extends Places, HostPlace {
  /** Only print what would be written. */
  readonly dryRun: boolean;
  /** Network types to take over, whose networks another plugin made. */
  readonly takeTypes?: readonly string[] | undefined;
  /** Optional permissions to grant, and limits, which replace earlier ones. */
  readonly settings?: readonly GrantSetting[] | undefined;
}

/**
 * Grants, creating the policy's file if needed, and has the running host apply it. Writes nothing if the plugin cannot be bundled; fails
 * if the host does not serve the plugin afterwards.
 */
export async function grant(id: string, options: GrantOptions): Promise<Report> {
  const absent = { absent: "empty" } as const;
  // Reports a broken policy before the plugin is bundled.
  const file = await readPolicyFile(options.policy, absent);
  const plugin = await findPlugin(id, options);
  const { sha256 } = await bundleDiscovered(plugin);
  const { entry, compared, optional } = options.dryRun
    ? granted(file, plugin, sha256, options).result
    : await changePolicyFile(options.policy, absent, (now) => granted(now, plugin, sha256, options));
  const { scope, ...permissions } = entry.grant;
  const { networkTypes, takeTypes } = entry;
  const host = options.dryRun ? null : await applyToHost(id, options.policy, options);
  const lines = [
    `${options.dryRun ? "would grant" : "granted"} ${id}, in ${options.policy}:`,
    ...(compared === null ? [] : [`  changes      ${compared}`]),
    `  scope        ${scope}`,
    ...(networkTypes === undefined ? [] : [`  types        ${networkTypes.join(", ")}`]),
    ...(takeTypes === undefined ? [] : [`  takes over   ${takeTypes.join(", ")}`]),
    `  permissions  ${permissionsText(permissions)}`,
    `  sha256       ${sha256}`,
    ...(options.dryRun ? [] : [`  host         ${appliedText(id, host, options)}`]),
    ...optional.map(({ permission, line }) => `  optional     ${permission} is not granted; to grant it: ${line}`),
  ];
  const data = { plugin: id, policy: options.policy, dryRun: options.dryRun, compared, ...entry, host };
  const error = notServed(id, host);
  return { data, text: lines.join("\n"), ...(error ? { error } : {}) };
}

interface Granted {
  readonly entry: Required<Pick<PolicyEntry, "grant" | "sha256">> & Pick<PolicyEntry, "networkTypes" | "takeTypes">;
  /** What it asks for, compared with its earlier grant; null if it had none. */
  readonly compared: string | null;
  /** Optional permissions that it is not granted, each with the line that grants it. */
  readonly optional: readonly { readonly permission: string; readonly line: string }[];
}

/** Returns the policy with the plugin granted. Throws `ERR_GRANT_MISSING` if the plugin could not start with the grant. */
function granted(
  { path, policy, raw }: PolicyFile,
  plugin: Discovered,
  sha256: string,
  { takeTypes: taking = [], settings = [] }: Pick<GrantOptions, "takeTypes" | "settings">,
): PolicyChange<Granted> {
  const { id, manifest } = plugin;
  const before = policyEntry(policy, id);
  const networkTypes = typesFor(plugin, before);
  const takeTypes = takenTypes(plugin, before, taking);
  const entry = {
    grant: grantFor(plugin, policy, settings),
    ...(networkTypes ? { networkTypes } : {}),
    ...(takeTypes.length > 0 ? { takeTypes } : {}),
    sha256,
  };
  const after = { ...policy, plugins: { ...policy.plugins, [id]: { ...before, ...entry } } };
  const places = { policy: path, plugins: dirname(plugin.path) };
  const typed = [
    ...settings.map(({ text }) => ["--set", text] as const),
    ...taking.map((type) => ["--take-type", type] as const),
  ].flat();
  const lacking = limitsText(id, effectiveGrant({ id, manifest, policy: after }).missing, policy, places, typed);
  if (lacking !== undefined)
    throw new DriverError("ERR_GRANT_MISSING", `plugin "${id}" is not granted anything yet: ${lacking}`, {
      plugin: id,
    });
  const known = before?.grant !== undefined || before?.sha256 !== undefined;
  const plugins = (raw.plugins ?? {}) as JsonObject;
  // Drops the limits that a revocation kept: they are part of the grant again.
  const { revoked: _, ...former } = (Object.hasOwn(plugins, id) ? plugins[id] : {}) as JsonObject;
  return {
    raw: { ...raw, plugins: { ...plugins, [id]: { ...former, ...(entry as unknown as JsonObject) } } },
    result: {
      entry,
      compared: known ? judgeUpdate({ id, manifest, policy }).text : null,
      optional: Object.entries(manifest?.optionalPermissions ?? {}).flatMap(([permission, asked]) => {
        if (Object.hasOwn(entry.grant, permission) || asked === undefined) return [];
        const missing = {
          permission,
          asked: asked as AskedPermissions[string],
          granted: null,
          optional: true,
        } as const;
        return [{ permission, line: grantingCommand(id, [missing], after, places) }];
      }),
    },
  };
}

/**
 * Returns what the plugin asks for, as a grant. A permission that is granted or was revoked keeps the operator's limits: granting
 * again must not widen them silently.
 */
function grantFor(plugin: Discovered, policy: Policy, settings: readonly GrantSetting[]): Grant {
  const entry = policyEntry(policy, plugin.id);
  const before = (entry?.grant ?? entry?.revoked ?? {}) as AskedPermissions;
  const { optionalPermissions = {} } = plugin.manifest ?? {};
  const wished = Object.entries(optionalPermissions).filter(([name]) =>
    settings.some(({ permission }) => permission === name),
  );
  // Optional permissions count as asked for if the policy names them, named them before a revocation, or the operator does now.
  const named = { ...Object.fromEntries(wished), ...before } as Grant;
  const naming = { ...policy, plugins: { ...policy.plugins, [plugin.id]: { ...entry, grant: named } } };
  const question = { id: plugin.id, manifest: plugin.manifest, policy: naming };
  const permissions = askedPermissions(question);
  const foreign = settings.find(({ permission }) => !Object.hasOwn(permissions, permission));
  if (foreign) {
    const all = [...new Set([...Object.keys(permissions), ...Object.keys(optionalPermissions)])];
    throw new DriverError(
      "ERR_USAGE",
      `--set ${foreign.permission}: plugin "${plugin.id}" does not ask for it; it asks for ${all.join(", ") || "nothing"}`,
    );
  }
  const asked = Object.entries(permissions).map(([name, limits]) => {
    const given = Object.hasOwn(before, name) ? (before[name] ?? true) : limits;
    const set = settings.flatMap(({ permission, limit }) =>
      permission === name && limit !== undefined ? [[limit.name, limit.value]] : [],
    );
    return [name, set.length === 0 ? given : { ...(given === true ? {} : given), ...Object.fromEntries(set) }];
  });
  return { scope: askedScope(question), ...Object.fromEntries(asked) };
}

/** Returns the types to take over. Throws `ERR_USAGE` for a type that the plugin does not register. */
function takenTypes({ id, manifest }: Discovered, before: PolicyEntry | undefined, more: readonly string[]): string[] {
  const types = manifest?.networkTypes ?? [id];
  const foreign = more.find((one) => !types.includes(one));
  if (foreign !== undefined)
    throw new DriverError(
      "ERR_USAGE",
      `--take-type ${quote(foreign)}: plugin "${id}" does not register that type; it registers ${types.join(", ")}`,
    );
  return [...new Set([...(before?.takeTypes ?? []), ...more])];
}

/** Returns the types that the plugin asks for; undefined if it is only its own id, and the policy never named types. */
function typesFor({ id, manifest }: Discovered, before: PolicyEntry | undefined): readonly string[] | undefined {
  const types = manifest?.networkTypes ?? [id];
  return before?.networkTypes === undefined && types.length === 1 && types[0] === id ? undefined : types;
}

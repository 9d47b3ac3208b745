/** `bulkhead grant ID`: writes into the policy what the plugin asks for, and the digest of what it is. */
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
import { permissionsText, type Report } from "./output.js";
import { findPlugin, type Places } from "./places.js";

/** What `grant` takes. */
export interface GrantOptions extends Places {
  /** Only say what would be written. */
  readonly dryRun: boolean;
  /** Network types whose networks another plugin made, handed over to this one. */
  readonly takeTypes?: readonly string[] | undefined;
  /** Optional permissions to grant, and limits, which replace those it had. */
  readonly settings?: readonly GrantSetting[] | undefined;
}

/** Grants; the policy's file is made if there is none. Nothing is written if the plugin does not even bundle. */
export async function grant(id: string, options: GrantOptions): Promise<Report> {
  const absent = { absent: "empty" } as const;
  // A broken policy is told of before a plugin is bundled in vain.
  const file = await readPolicyFile(options.policy, absent);
  const plugin = await findPlugin(id, options);
  const { sha256 } = await bundleDiscovered(plugin);
  const { entry, compared, optional } = options.dryRun
    ? granted(file, plugin, sha256, options).result
    : await changePolicyFile(options.policy, absent, (now) => granted(now, plugin, sha256, options));
  const { scope, ...permissions } = entry.grant;
  const { networkTypes, takeTypes } = entry;
  const lines = [
    `${options.dryRun ? "would grant" : "granted"} ${id}, in ${options.policy}:`,
    ...(compared === null ? [] : [`  changes      ${compared}`]),
    `  scope        ${scope}`,
    ...(networkTypes === undefined ? [] : [`  types        ${networkTypes.join(", ")}`]),
    ...(takeTypes === undefined ? [] : [`  takes over   ${takeTypes.join(", ")}`]),
    `  permissions  ${permissionsText(permissions)}`,
    `  sha256       ${sha256}`,
    ...optional.map(({ permission, line }) => `  optional     ${permission} is not granted; to grant it: ${line}`),
  ];
  const data = { plugin: id, policy: options.policy, dryRun: options.dryRun, compared, ...entry };
  return { data, text: lines.join("\n") };
}

interface Granted {
  readonly entry: Required<Pick<PolicyEntry, "grant" | "sha256">> & Pick<PolicyEntry, "networkTypes" | "takeTypes">;
  /** What it asks for, compared with what it was granted before; null: it had not been granted anything. */
  readonly compared: string | null;
  /** Optional permissions that it is not granted, each with the line that grants it. */
  readonly optional: readonly { readonly permission: string; readonly line: string }[];
}

/** Gives the policy with the plugin granted. Throws `ERR_GRANT_MISSING` where that would not be enough for the plugin to start. */
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
  // What a revocation kept aside is part of the grant again.
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
 * What the plugin asks for, as a grant. A permission that the policy grants, or that was revoked, keeps the limits the operator gave it:
 * granting again must not widen them unseen.
 */
function grantFor(plugin: Discovered, policy: Policy, settings: readonly GrantSetting[]): Grant {
  const entry = policyEntry(policy, plugin.id);
  const before = (entry?.grant ?? entry?.revoked ?? {}) as AskedPermissions;
  const { optionalPermissions = {} } = plugin.manifest ?? {};
  const wished = Object.entries(optionalPermissions).filter(([name]) =>
    settings.some(({ permission }) => permission === name),
  );
  // Optional permissions are asked for where the policy names them: it did before the revocation, or the operator names them now.
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

/** Throws `ERR_USAGE` for a type that the plugin does not register. */
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

/** The network types it asks for; undefined where that is the one called as itself, and the policy has never said otherwise. */
function typesFor({ id, manifest }: Discovered, before: PolicyEntry | undefined): readonly string[] | undefined {
  const types = manifest?.networkTypes ?? [id];
  return before?.networkTypes === undefined && types.length === 1 && types[0] === id ? undefined : types;
}

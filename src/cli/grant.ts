/** `bulkhead grant ID`: writes into the policy what the plugin asks for, and the digest of what it is. */
import type { JsonObject } from "../driverapi/json.js";
import { bundleDiscovered } from "../host/bundled.js";
import type { Discovered } from "../host/discovery.js";
import { askedPermissions, askedScope } from "../host/policy/effective.js";
import { readPolicyFile, writePolicyFile } from "../host/policy/policy-file.js";
import { type Grant, type Policy, policyEntry } from "../host/policy/schema.js";
import { permissionsText, type Report } from "./output.js";
import { findPlugin, type Places } from "./places.js";

/** What `grant` takes. */
export interface GrantOptions extends Places {
  /** Only say what would be written. */
  readonly dryRun: boolean;
}

/** Grants; the policy's file is made if there is none. Nothing is written if the plugin does not even bundle. */
export async function grant(id: string, options: GrantOptions): Promise<Report> {
  const file = await readPolicyFile(options.policy, { absent: "empty" });
  const plugin = await findPlugin(id, options);
  const { sha256 } = await bundleDiscovered(plugin);
  const given = grantFor(plugin, file.policy);

  const plugins = (file.raw.plugins ?? {}) as JsonObject;
  const entry = (Object.hasOwn(plugins, id) ? plugins[id] : {}) as JsonObject;
  const raw = { ...file.raw, plugins: { ...plugins, [id]: { ...entry, grant: given as JsonObject, sha256 } } };
  if (!options.dryRun) await writePolicyFile(options.policy, raw);

  const { scope, ...permissions } = given;
  const lines = [
    `${options.dryRun ? "would grant" : "granted"} ${id}, in ${options.policy}:`,
    `  scope        ${scope}`,
    `  permissions  ${permissionsText(permissions)}`,
    `  sha256       ${sha256}`,
  ];
  return {
    data: { plugin: id, policy: options.policy, dryRun: options.dryRun, grant: given, sha256 },
    text: lines.join("\n"),
  };
}

/**
 * What the plugin asks for, as a grant. A permission the policy already grants keeps the limits the operator gave it:
 * granting again, after an update, must not widen them unseen.
 */
function grantFor(plugin: Discovered, policy: Policy): Grant {
  const question = { id: plugin.id, manifest: plugin.manifest, policy };
  const before = (policyEntry(policy, plugin.id)?.grant ?? {}) as Readonly<Record<string, unknown>>;
  const asked = Object.entries(askedPermissions(question)).map(([name, limits]) => [
    name,
    Object.hasOwn(before, name) ? before[name] : limits,
  ]);
  return { scope: askedScope(question), ...Object.fromEntries(asked) };
}

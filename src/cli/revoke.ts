/**
 * `bulkhead revoke ID`: removes the plugin's grant, types and digest from the policy. Its limits and options stay, and the limits of
 * the grant are kept under `revoked` for the next grant.
 */

import { quote } from "../common/quote.js";
import type { JsonObject } from "../driverapi/json.js";
import { changePolicyFile, type PolicyChange } from "../policy/policy-change.js";
import type { PolicyFile } from "../policy/policy-file.js";
import { type Applied, appliedText, applyToHost, type HostPlace } from "./applied.js";
import type { Report } from "./output.js";
import { notFound, type Places } from "./places.js";

interface Revoked {
  readonly grant: JsonObject | null;
  readonly sha256: string | null;
  /** True if it has other settings, which stay. */
  readonly kept: boolean;
}

/**
 * Revokes, and has the running host apply it. Throws `ERR_PLUGIN_NOT_FOUND` if the policy grants the plugin nothing: otherwise a mistyped id would look like a
 * success.
 */
export async function revoke(id: string, { policy, ...place }: Places & HostPlace): Promise<Report> {
  const revoked = await changePolicyFile(policy, {}, (file) => without(file, id));
  const host = await applyToHost(id, policy, place);
  const text = [
    `revoked ${id}, in ${policy}${revoked.kept ? "; its other settings are kept" : ""}`,
    `  then  ${consequence(host)}`,
    `  host  ${appliedText(id, host, place)}`,
  ].join("\n");
  return { data: { plugin: id, policy, ...revoked, host }, text };
}

/** Says what became of the plugin, or what will, where no host has applied the edit. */
function consequence(host: Applied | null): string {
  if (host?.outcome !== "applied")
    return 'a host with this policy leaves it the harmless permissions, and stops it if it needs others ("enabled": false in its entry stops it anyway)';
  if (host.state === "running" || host.state === "orphaned")
    return 'it runs on, with the harmless permissions alone ("enabled": false in its entry stops it)';
  return "it is out of service: its calls are refused, and its networks, links and rules stay until the next grant";
}

function without({ path, raw }: PolicyFile, id: string): PolicyChange<Revoked> {
  const plugins = (raw.plugins ?? {}) as Readonly<Record<string, JsonObject>>;
  const entry = Object.hasOwn(plugins, id) ? plugins[id] : undefined;
  if (entry === undefined || (entry.grant === undefined && entry.sha256 === undefined)) {
    const granted = Object.keys(plugins).filter((one) => plugins[one]?.grant !== undefined);
    throw notFound(
      `${path} grants nothing to ${quote(id)} ("enabled": false in its entry stops a plugin)`,
      id,
      granted,
    );
  }
  const { grant, networkTypes: _, sha256, ...settings } = entry;
  const bounded = Object.values((grant ?? {}) as JsonObject).some((limits) => typeof limits === "object");
  const rest: JsonObject = bounded ? { ...settings, revoked: grant ?? {} } : settings;
  const others = Object.entries(plugins).filter(([one]) => one !== id);
  const kept = Object.keys(rest).length > 0;
  // Rebuilt in the order it had.
  const left = kept ? Object.entries(plugins).map(([one, its]) => [one, one === id ? rest : its]) : others;
  return {
    raw: { ...raw, plugins: Object.fromEntries(left) as JsonObject },
    result: { grant: (grant as JsonObject) ?? null, sha256: (sha256 as string) ?? null, kept },
  };
}

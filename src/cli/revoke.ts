/** `bulkhead revoke ID`: takes the plugin's grant and digest out of the policy; its limits and options stay. */
import type { JsonObject } from "../driverapi/json.js";
import { quote } from "../driverapi/quote.js";
import { readPolicyFile, writePolicyFile } from "../host/policy/policy-file.js";
import type { Report } from "./output.js";
import { notFound, type Places } from "./places.js";

/** Revokes. Throws `ERR_PLUGIN_NOT_FOUND` if the policy grants the plugin nothing: a slip in the id must not look done. */
export async function revoke(id: string, { policy }: Places): Promise<Report> {
  const { raw } = await readPolicyFile(policy);
  const plugins = (raw.plugins ?? {}) as Readonly<Record<string, JsonObject>>;
  const entry = Object.hasOwn(plugins, id) ? plugins[id] : undefined;
  if (entry === undefined || (entry.grant === undefined && entry.sha256 === undefined)) {
    const granted = Object.keys(plugins).filter((one) => plugins[one]?.grant !== undefined);
    throw notFound(`${policy} grants nothing to ${quote(id)}`, id, granted);
  }
  const { grant, sha256, ...rest } = entry;
  const others = Object.entries(plugins).filter(([one]) => one !== id);
  const kept = Object.keys(rest).length > 0;
  // Rebuilt in the order it had.
  const left = kept ? Object.entries(plugins).map(([one, its]) => [one, one === id ? rest : its]) : others;
  await writePolicyFile(policy, { ...raw, plugins: Object.fromEntries(left) as JsonObject });
  const text = `revoked ${id}, in ${policy}; what is harmless it still has${kept ? "; its other settings are kept" : ""}`;
  return { data: { plugin: id, policy, grant: grant ?? null, sha256: sha256 ?? null, kept }, text };
}

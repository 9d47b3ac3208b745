/** Decides what `serve` does at its start while no driver is in service: wait for one, or end. */

import { shortList } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { PluginHost } from "../../host/plugin-host.js";
import { readPolicyFile } from "../../policy/policy-file.js";
import { policyEntry } from "../../policy/schema.js";
import type { ServeSettings } from "./settings.js";

/**
 * Returns the warning of a daemon that waits for a driver. Throws `ERR_OPTIONS` unless it was told to wait (`allowEmpty`), or the policy
 * stops a plugin or has revoked its grant: that is the operator's choice, and systemd would restart the daemon again and again.
 */
export async function nothingServed(
  plugins: ReturnType<PluginHost["plugins"]>,
  { allowEmpty, policy: file }: Pick<ServeSettings, "allowEmpty" | "policy">,
): Promise<string> {
  const { policy } = await readPolicyFile(file, { absent: "empty" });
  const taken = plugins.some(({ name }) => {
    const { enabled, revoked } = policyEntry(policy, name) ?? {};
    return enabled === false || revoked !== undefined;
  });
  if (allowEmpty || taken)
    return `no driver is in service (${states(plugins) || "no plugins"}); a driver is served as soon as the policy grants or starts its plugin`;
  const what =
    plugins.length === 0
      ? "the plugins folders contain no plugin, so nothing can be served"
      : `no driver is in service, so there is nothing to serve: ${states(plugins)}`;
  throw new DriverError("ERR_OPTIONS", `${what}; to wait for one, pass --allow-empty`);
}

function states(plugins: ReturnType<PluginHost["plugins"]>): string {
  return shortList(plugins.map(({ name, state, refusal }) => `${name} ${state}${refusal ? ` (${refusal.code})` : ""}`));
}

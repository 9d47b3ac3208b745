/** From a file found to a plugin ready to run: what it may do, and the very bytes that will run. */
import { dirname } from "node:path";
import { DriverError } from "../../driverapi/errors.js";
import { bundleDiscovered } from "../bundled.js";
import type { HostContext } from "../context.js";
import type { Discovered } from "../discovered.js";
import { type Effective, effectiveGrant } from "../policy/effective.js";
import { grantCommand, limitsText, missingText } from "../policy/grant-command.js";

/** A plugin that may run. Restarts run these same bytes, whatever stands in the folder by then. */
export interface Prepared {
  readonly id: string;
  readonly version: string | undefined;
  readonly effective: Effective;
  readonly code: string;
  readonly sourceMap: string;
  readonly sha256: string;
}

/**
 * Throws `ERR_GRANT_MISSING` and `ERR_PLUGIN_CHANGED` (the operator has to decide), and all that discovery and bundling
 * may find. Nothing of a plugin that waits for its grant is bundled.
 */
export async function prepare(found: Discovered, context: HostContext): Promise<Prepared> {
  if (found.error) throw found.error;
  const { id } = found;
  const effective = effectiveGrant({
    id,
    manifest: found.manifest,
    policy: context.policy(),
    hostIsolation: context.isolation,
    threadsOnly: context.threadsOnly,
  });
  const unnamed = limitsText(id, effective.missing, context.policyFile);
  if (unnamed !== undefined) throw new DriverError("ERR_GRANT_MISSING", `plugin "${id}": ${unnamed}`, { plugin: id });
  const places = { policy: context.policyFile, plugins: dirname(found.path) };
  if (effective.missing.length > 0) {
    throw new DriverError(
      "ERR_GRANT_MISSING",
      `plugin "${id}" asks for ${missingText(effective.missing)}; to grant it: ${grantCommand(id, places)}`,
      { plugin: id },
    );
  }
  const { code, sourceMap, sha256 } = await bundleDiscovered(found);
  if (effective.sha256 !== undefined && effective.sha256.toLowerCase() !== sha256) {
    throw new DriverError(
      "ERR_PLUGIN_CHANGED",
      `plugin "${id}" is not what was granted: its sha256 is ${sha256}, the policy pins ${effective.sha256}; look at what changed, then: ${grantCommand(id, places)}`,
      { plugin: id },
    );
  }
  return { id, version: found.version, effective, code, sourceMap, sha256 };
}

/** True for errors that an operator's grant mends. */
export function awaitsGrant(error: DriverError): boolean {
  return error.code === "ERR_GRANT_MISSING" || error.code === "ERR_PLUGIN_CHANGED";
}

/** What a plugin's files newly ask for and use, compared with the version that a host runs. */
import type { ControlClient } from "../../control/client.js";
import type { PluginDetails } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import { bundleDiscovered } from "../../host/bundled.js";
import type { Discovered } from "../../host/discovery.js";
import { differences } from "../../policy/difference.js";
import { type Effective, effectiveGrant } from "../../policy/effective.js";
import type { Policy } from "../../policy/schema.js";
import { askedTerms, termsOf } from "../../policy/terms.js";
import { findings } from "../findings/findings.js";

export interface NewVersion {
  readonly version: string | null;
  readonly sha256: string;
  /** What it asks for beyond what the running version has. */
  readonly asks: readonly string[];
  /** Permissions that its code uses and the running version does not have, with file and line. */
  readonly uses: readonly string[];
}

/** Returns undefined if the host does not run the plugin, or runs these very files. Rejects as `ControlClient.ask` does. */
export async function newVersion(
  plugin: Discovered,
  policy: Policy,
  client: ControlClient,
): Promise<NewVersion | undefined> {
  const running = await client.ask("plugin", { id: plugin.id }).catch((error: unknown) => {
    if (error instanceof DriverError && error.code === "ERR_PLUGIN_NOT_FOUND") return undefined;
    throw error;
  });
  if (running?.sha256 == null || running.grant === null || plugin.error) return undefined;
  const bundle = await bundleDiscovered(plugin).catch(() => undefined);
  if (bundle === undefined || bundle.sha256 === running.sha256) return undefined;
  const { permissions } = running.grant;
  const asked = asksBeyond(plugin, policy, running);
  const uses = findings({ ...plugin, manifest: withOnly(plugin, permissions) }, bundle.code, bundle.sourceMap)
    .filter(({ kind }) => kind === "not-asked")
    .map(({ name, file, line }) => `${name} (${file}:${line})`);
  return { version: plugin.version ?? null, sha256: bundle.sha256, asks: asked, uses };
}

function asksBeyond({ id, manifest }: Discovered, policy: Policy, running: PluginDetails): readonly string[] {
  const question = { id, manifest, policy };
  const before = {
    ...termsOf(effectiveGrant(question)),
    permissions: (running.grant?.permissions ?? {}) as unknown as Effective["permissions"],
    networkTypes: running.types,
  };
  return differences(before, askedTerms(question))
    .filter(({ way }) => way === "more")
    .map(({ text }) => text);
}

/** Returns a manifest that asks for what the running version has: what the code uses beyond it is new. */
function withOnly({ manifest }: Discovered, permissions: object): NonNullable<Discovered["manifest"]> {
  const names = Object.keys(permissions);
  return {
    ...manifest,
    permissions: Object.fromEntries(names.map((name) => [name, true])),
    optionalPermissions: {},
  };
}

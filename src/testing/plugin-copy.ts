/** Copies the plugin under test to a plugins folder of its own, with a policy that grants all that it asks for. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { copyPlugin } from "../cli/copy-plugin.js";
import { DriverError } from "../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../host/discovery.js";
import { grantAll } from "../policy/grant-all.js";
import type { PermissionSet } from "../policy/manifest/schema.js";
import type { Policy, PolicyEntry } from "../policy/schema.js";

export interface PluginCopy {
  readonly id: string;
  /** The plugins folder. */
  readonly folder: string;
  readonly found: Discovered;
  remove(): Promise<void>;
}

/**
 * Copies the plugin's file or folder; `recovery` is written into the copy's manifest.
 * Throws `ERR_PLUGIN_FILE`, `ERR_PLUGIN_SIZE`, and the errors of the plugin's name or manifest.
 */
export async function copyForTest(path: string, recovery: "replay" | "self" | undefined): Promise<PluginCopy> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "bulkhead-testing-")));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const source = resolve(path);
    await copyPlugin(source, folder);
    let found = await only(folder, source);
    if (recovery !== undefined) {
      const file = found.manifestPath ?? join(folder, `${found.id}.plugin.json`);
      await writeFile(file, JSON.stringify({ ...found.manifest, recovery }));
      found = await only(folder, source);
    }
    return { id: found.id, folder, found, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function only(folder: string, source: string): Promise<Discovered> {
  const [found] = await discoverPlugins([folder]);
  if (found?.error) throw found.error;
  if (found) return found;
  const rule = `${source}: this is not a plugin: name a .js, .mjs or .ts file, or a folder with a plugin.json`;
  throw new DriverError("ERR_PLUGIN_FILE", rule, { file: source });
}

/** Deadlines for busy machines, in milliseconds. */
const PATIENT = { init: 20_000, default: 10_000 } as const;

/** Creates the policy of a test: grants all that is asked for, with the limits in `permissions`; `entry` overrides both. */
export function testPolicy(found: Discovered, permissions: PermissionSet = {}, entry: PolicyEntry = {}): Policy {
  const asked = grantAll(found.id, found.manifest);
  const given = Object.entries(permissions).map(([name, limits]) => {
    const before = (asked.grant as Readonly<Record<string, unknown>>)[name];
    return [name, typeof before === "object" && typeof limits === "object" ? { ...before, ...limits } : limits];
  });
  const grant = { ...asked.grant, ...(Object.fromEntries(given) as PermissionSet), ...entry.grant };
  return { defaults: { timeouts: PATIENT }, plugins: { [found.id]: { ...asked, ...entry, grant } } };
}

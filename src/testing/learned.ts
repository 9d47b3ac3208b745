/** Tells `bulkhead policy learn --tests` what a test's host has seen its plugin use. */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PluginHost, usageOf } from "../host/plugin-host.js";
import type { Usage } from "../learning/usage.js";

/** The variable that names the folder where each host leaves a file. */
export const LEARN_FOLDER = "BULKHEAD_LEARN_FOLDER";

/** The contents of such a file. */
export interface SeenUsage {
  readonly plugin: string;
  readonly usage: Usage;
}

/** Watches a plugin if `LEARN_FOLDER` is set. Returns a function that writes what was seen; call it before the host closes. */
export async function learnUsage(host: PluginHost, plugin: string): Promise<() => Promise<void>> {
  const folder = process.env[LEARN_FOLDER];
  if (folder === undefined) return async () => {};
  const done = await usageOf(host, plugin);
  return async () => {
    const seen: SeenUsage = { plugin, usage: (await done?.()) ?? {} };
    await writeFile(join(folder, `${randomUUID()}.json`), JSON.stringify(seen));
  };
}

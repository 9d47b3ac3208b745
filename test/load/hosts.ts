/** Hosts for the bench, over plugins in a folder of their own: nothing switched off, all of it gone after `stop`. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PluginHost, PluginHostOptions, Policy } from "bulkhead";
import type { HostParts } from "#dist/host/host-parts.js";
import { type PluginHost as Host, startHost } from "#dist/host/plugin-host.js";
import { SILENT } from "../kit/logger.js";

export interface House {
  readonly plugins: string;
  readonly host: Host;
  /** Writes one more plugin; `host.reload(id)` loads it. */
  put(id: string, source: string): Promise<void>;
  stop(): Promise<void>;
}

export interface HouseOptions extends Pick<PluginHostOptions, "isolation"> {
  /** Sources by id. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly policy?: Policy;
  /** Keeps a journal on the disk that this folder is on. */
  readonly durable?: boolean;
  readonly parts?: HostParts;
}

/** On a disk: the system's temporary folder is in memory on many machines, where a flush does nothing. */
export const DISK: string = fileURLToPath(new URL(".", import.meta.url));

/** Starts a host and resolves when all its plugins are in service; rejects with the refusal of one that is not. */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { isolation = "process", plugins: sources, policy = {}, durable = false, parts = {} } = options;
  const root = await mkdtemp(join(durable ? DISK : tmpdir(), "bulkhead-load-"));
  let host: PluginHost | undefined;
  const stop = async (): Promise<void> => {
    await host?.close();
    await rm(root, { recursive: true, force: true });
  };
  try {
    const plugins = join(root, "plugins");
    await mkdir(plugins);
    const put = (id: string, source: string): Promise<void> => writeFile(join(plugins, `${id}.js`), source);
    for (const [id, source] of Object.entries(sources)) await put(id, source);
    const data = durable ? { dataDir: join(root, "data") } : {};
    const given = { plugins, isolation, logger: SILENT, policy: { sandbox: "auto", ...policy } as const, ...data };
    host = await startHost(given, parts);
    for (const { name, state, refusal } of host.plugins())
      if (state !== "running") throw refusal ?? new Error(`plugin ${name} is ${state}`);
    return { plugins, host, put, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

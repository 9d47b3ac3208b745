/** The parts of a build, of this commit or of an earlier one, that rows against an earlier build use. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DockerGateway } from "#dist/docker/gateway.js";
import type { createPluginHost, EndpointConfig } from "#dist/index.js";
import type { openDataFolder } from "#dist/storage/folder.js";
import type { LogJournal } from "#dist/storage/journal/log-journal.js";

export interface Parts {
  readonly createPluginHost: typeof createPluginHost;
  readonly EndpointConfig: typeof EndpointConfig;
  readonly DockerGateway: typeof DockerGateway;
  readonly openDataFolder: typeof openDataFolder;
  /** The journal in a data folder. */
  readonly Journal: typeof LogJournal;
}

/** Where each part is, in this commit and in 5d63830. */
const PLACES: Readonly<Record<keyof Parts, readonly (readonly [file: string, name: string])[]>> = {
  createPluginHost: [["index.js", "createPluginHost"]],
  EndpointConfig: [["index.js", "EndpointConfig"]],
  DockerGateway: [["docker/gateway.js", "DockerGateway"]],
  openDataFolder: [
    ["storage/folder.js", "openDataFolder"],
    ["host/state/folder.js", "openDataFolder"],
  ],
  Journal: [
    ["storage/journal/log-journal.js", "LogJournal"],
    ["host/journal/lmdb-journal.js", "LmdbJournal"],
  ],
};

/** `folder`: of the build, with its dist. */
export async function partsOf(folder: string): Promise<Parts> {
  const parts = Object.entries(PLACES).map(async ([part, places]) => {
    const found = places.find(([file]) => existsSync(join(folder, "dist", file)));
    if (!found) throw new Error(`the build in ${folder} has no ${part}`);
    const [file, name] = found;
    const module = (await import(pathToFileURL(join(folder, "dist", file)).href)) as Record<string, unknown>;
    return [part, module[name]];
  });
  return Object.fromEntries(await Promise.all(parts)) as Parts;
}

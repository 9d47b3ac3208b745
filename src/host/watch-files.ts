/** Follows the files in the plugins folders: tells which plugins' files have changed, appeared or gone. */
import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { watch } from "chokidar";
import { shownPath } from "./discovered.js";
import { HOST } from "./limits.js";

export interface FileWatch {
  close(): Promise<void>;
}

export interface FileWatchOptions {
  /** Absolute. A folder that does not exist now is not watched. */
  readonly folders: readonly string[];
  /** A file of a plugin has changed, and its size has been stable for a while. */
  changed(id: string): void;
  failed(error: unknown): void;
}

/** Resolves when the folders that exist are being watched, at the places their paths lead to now. */
export async function watchFiles({ folders, changed, failed }: FileWatchOptions): Promise<FileWatch> {
  const found = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)));
  const roots = found.filter((root) => root !== undefined);
  const watcher = watch(roots, {
    ignoreInitial: true,
    // Chokidar shares persistent handles by path: this watch would join one that another host of the process has opened, and follow a
    // folder that has been moved away since. Other handles belong to one watch; they do not keep the process alive, `PlaceWatch` does.
    persistent: false,
    followSymlinks: false,
    ignored: (path) =>
      roots.some(
        (root) => path.startsWith(root + sep) && /(^|[/\\])(\.|node_modules($|[/\\]))/.test(relative(root, path)),
      ),
    awaitWriteFinish: { stabilityThreshold: HOST.watchStableMs, pollInterval: 50 },
  });
  watcher.on("all", (_event, path) => {
    const root = roots.find((one) => path.startsWith(one + sep));
    if (root !== undefined) changed(pluginOf(relative(root, path)));
  });
  watcher.on("error", failed);
  if (roots.length > 0) await new Promise<void>((done) => watcher.once("ready", () => done()));
  return watcher;
}

/** Returns the id of the plugin that a path below a plugins folder belongs to. */
function pluginOf(path: string): string {
  const [first = "", ...rest] = path.split(sep);
  return shownPath(rest.length > 0 ? first : first.replace(/\.plugin\.json$|\.([cm]?[jt]s|[jt]sx)$/i, ""));
}

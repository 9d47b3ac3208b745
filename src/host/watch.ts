/** Follows the plugins folders and the policy's file. A change acts once the files' sizes have been stable for a while. */
import { dirname, relative, resolve, sep } from "node:path";
import { watch } from "chokidar";
import { TIMES } from "../protocol/limits.js";
import type { Logger } from "./logger.js";

export interface Watcher {
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly folders: readonly string[];
  readonly policyFile: string | undefined;
  /** Ids of plugins whose files have changed, come or gone. */
  changed(ids: ReadonlySet<string>): Promise<void>;
  policyChanged(): Promise<void>;
  readonly logger: Logger;
}

/** Resolves when the folders are being watched. */
export async function watchPlugins(options: WatchOptions): Promise<Watcher> {
  const roots = options.folders.map((folder) => resolve(folder));
  const policyFile = options.policyFile === undefined ? undefined : resolve(options.policyFile);
  const dirty = new Set<string>();
  let policyDirty = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const act = (): void => {
    const ids = new Set(dirty);
    dirty.clear();
    const policy = policyDirty;
    policyDirty = false;
    running = running
      .then(async () => {
        if (policy) await options.policyChanged();
        if (ids.size > 0) await options.changed(ids);
      })
      .catch((error: unknown) =>
        options.logger.error({ err: error }, "a change in the plugins folder could not be acted on"),
      );
  };
  const watcher = watch([...roots, ...(policyFile === undefined ? [] : [policyFile])], {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) =>
      roots.some(
        (root) => path.startsWith(root + sep) && /(^|[/\\])(\.|node_modules($|[/\\]))/.test(relative(root, path)),
      ),
    awaitWriteFinish: { stabilityThreshold: TIMES.watchStable, pollInterval: 50 },
  });
  watcher.on("all", (_event, path) => {
    const full = resolve(path);
    if (full === policyFile) policyDirty = true;
    else {
      const root = roots.find((one) => full.startsWith(one + sep));
      const id = root === undefined ? undefined : pluginOf(relative(root, full));
      if (id === undefined) return;
      dirty.add(id);
    }
    // Several files of one plugin come one after the other.
    clearTimeout(timer);
    timer = setTimeout(act, TIMES.watchStable / 4);
  });
  watcher.on("error", (error) =>
    options.logger.error(
      { err: error },
      `the plugins folder is no longer watched in full (${dirname(roots[0] ?? "")})`,
    ),
  );
  await new Promise<void>((done) => watcher.once("ready", () => done()));
  return {
    async close() {
      clearTimeout(timer);
      await watcher.close();
      await running;
    },
  };
}

/** The id of the plugin that a path below a plugins folder belongs to; undefined for what is never a plugin. */
function pluginOf(path: string): string | undefined {
  const [first = "", ...rest] = path.split(sep);
  if (rest.length > 0) return first;
  return first.replace(/\.plugin\.json$|\.(js|mjs|ts)$/, "");
}

/** Follows the plugins folders and the policy's file. A change acts once the files have been stable for a while. */

import type { Logger } from "../common/logger.js";
import { HOST } from "./limits.js";
import { type FileWatch, watchFiles } from "./watch-files.js";
import { type Place, PlaceWatch } from "./watch-places.js";

export interface WatchOptions {
  /** Absolute. */
  readonly folders: readonly string[];
  /** Absolute. */
  readonly policyFile: string | undefined;
  /** Further folders: where the packages that refused plugins lack would be installed. */
  packageFolders(): readonly string[];
  /** Files of these plugins have changed, appeared or gone. */
  changed(ids: ReadonlySet<string>): Promise<void>;
  /** Packages have been installed in a plugins folder, or in one that `packageFolders` names. */
  packagesInstalled(): Promise<void>;
  /** A plugins folder was replaced or removed: everything may have changed. */
  folderReplaced(): Promise<void>;
  policyChanged(): Promise<void>;
  readonly logger: Logger;
}

export class Watcher {
  readonly #options: WatchOptions;
  readonly #dirty = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Tail of the queue of changes (FIFO). */
  #queue: Promise<void> = Promise.resolve();
  #files: FileWatch | undefined;
  #places: PlaceWatch | undefined;

  private constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Resolves once every further change will be noticed. */
  static async open(options: WatchOptions): Promise<Watcher> {
    const watcher = new Watcher(options);
    watcher.#places = await PlaceWatch.open({
      places: () => watcher.#wanted(),
      every: HOST.watchPlacesMs,
      changed: (place) => watcher.#next(() => watcher.#act(place)),
    });
    await watcher.#follow();
    return watcher;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#places?.close();
    await this.#queue;
    await this.#files?.close();
  }

  #wanted(): readonly Place[] {
    const { folders, policyFile, packageFolders } = this.#options;
    return [
      ...(policyFile === undefined ? [] : [{ path: policyFile, what: "file" } as const]),
      ...folders.map((path) => ({ path, what: "folder" }) as const),
      ...[...new Set([...folders, ...packageFolders()])].map((path) => ({ path, what: "packages" }) as const),
    ];
  }

  async #act({ path, what }: Place): Promise<void> {
    if (what === "file") return this.#options.policyChanged();
    if (what === "packages") return this.#options.packagesInstalled();
    this.#options.logger.info({ folder: path }, `the plugins folder ${path} was replaced or removed`);
    await this.#follow();
    await this.#options.folderReplaced();
  }

  /** Watches the folders at the places their paths lead to now. */
  async #follow(): Promise<void> {
    const before = this.#files;
    this.#files = await watchFiles({
      folders: this.#options.folders,
      changed: (id) => this.#note(id),
      failed: (error) =>
        this.#options.logger.error(
          { err: error },
          "changes in the plugins folders may go unnoticed; call host.refresh() after an edit",
        ),
    });
    await before?.close();
  }

  #note(id: string): void {
    this.#dirty.add(id);
    // Several files of one plugin may change one after another.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const ids = new Set(this.#dirty);
      this.#dirty.clear();
      void this.#next(() => this.#options.changed(ids));
    }, HOST.watchStableMs / 4);
  }

  #next(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue
      .then(work)
      .catch((error: unknown) =>
        this.#options.logger.error(
          { err: error },
          "could not apply a change in the plugins folders; the previous state stays",
        ),
      );
    return this.#queue;
  }
}

/**
 * Polls for changes that cause no file event: which folder a path leads to, which file is behind a path and what it holds, and whether
 * packages have been installed. A path may be a link, or lead through one, and a link can be replaced.
 */
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** What is compared. `folder`: its identity; `file`: identity and content; `packages`: what npm has installed there. */
export interface Place {
  readonly path: string;
  readonly what: "folder" | "file" | "packages";
}

export interface PlaceWatchOptions {
  /** Returns the places to poll. */
  places(): readonly Place[];
  /** Milliseconds between two polls. */
  readonly every: number;
  /** Two polls in a row have found the same change. Never rejects. */
  changed(place: Place): Promise<void>;
}

export class PlaceWatch {
  readonly #options: PlaceWatchOptions;
  /** What each place held when `changed` was last called, and what the latest poll found. */
  readonly #known = new Map<string, { handled: string; latest: string }>();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: PlaceWatchOptions) {
    this.#options = options;
  }

  /** Resolves when every place has been polled once. */
  static async open(options: PlaceWatchOptions): Promise<PlaceWatch> {
    const watch = new PlaceWatch(options);
    await watch.#poll();
    watch.#arm();
    return watch;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#polling;
  }

  #arm(): void {
    if (this.#closed) return;
    // This timer keeps the process of a host that follows its folders alive.
    this.#timer = setTimeout(() => {
      this.#polling = this.#poll().then(() => this.#arm());
    }, this.#options.every);
  }

  async #poll(): Promise<void> {
    const places = this.#options.places();
    const keys = new Set(places.map(keyOf));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const place of places) {
      const now = await fingerprintOf(place);
      if (this.#closed) return;
      const known = this.#known.get(keyOf(place));
      if (known === undefined) this.#known.set(keyOf(place), { handled: now, latest: now });
      else if (now !== known.latest) known.latest = now;
      else if (now !== known.handled) {
        known.handled = now;
        await this.#options.changed(place);
      }
    }
  }
}

function keyOf({ what, path }: Place): string {
  return `${what} ${path}`;
}

/** Returns a text that differs when the place has changed. */
async function fingerprintOf({ path, what }: Place): Promise<string> {
  if (what !== "packages") return fingerprint(path, what === "file");
  // npm writes `.package-lock.json` with every change; other tools change the folder itself.
  const packages = join(path, "node_modules");
  return `${await fingerprint(packages, true)} ${await fingerprint(join(packages, ".package-lock.json"), true)}`;
}

async function fingerprint(path: string, content: boolean): Promise<string> {
  try {
    const { dev, ino, birthtimeNs, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    // A new file can get the inode number of a removed one.
    const which = [await realpath(path), dev, ino, birthtimeNs];
    return (content ? [...which, size, mtimeNs, ctimeNs] : which).join(":");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

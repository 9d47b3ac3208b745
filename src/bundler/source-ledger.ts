/** The files that go into one bundle: read once, counted and hashed. */

import { type Confinement, nameIn, openConfined, readConfined } from "./confined-file.js";
import { sha256 } from "./digest.js";
import { BUNDLER } from "./limits.js";
import type { BundledFile } from "./messages.js";
import { BundleRefusal } from "./refusal.js";

/** The files that went into one bundle. */
export class SourceLedger {
  readonly #rules: Confinement;
  readonly #files = new Map<string, string>();
  #bytes = 0;

  constructor(rules: Confinement) {
    this.#rules = rules;
  }

  /** Reads one file, and counts and hashes it. Throws {@link BundleRefusal}. */
  read(path: string): Buffer {
    const { root } = this.#rules;
    const bytes = this.peek(path);
    const name = nameIn(root, path);
    this.#bytes += bytes.length;
    this.#files.set(name, sha256(bytes));
    if (this.#files.size > BUNDLER.files || this.#bytes > BUNDLER.inputBytes) {
      throw new BundleRefusal(
        "ERR_PLUGIN_SIZE",
        `with ${name}, the plugin loads ${this.#files.size} files of ${this.#bytes} bytes together, and it may load ` +
          `${BUNDLER.files} of ${BUNDLER.inputBytes} bytes: load less`,
      );
    }
    return bytes;
  }

  /** Reads one file that is not part of the bundle. Throws {@link BundleRefusal}. */
  peek(path: string): Buffer {
    return readConfined(openConfined(path, this.#rules), this.#rules);
  }

  /** Paths relative to the plugin's folder. */
  names(): string[] {
    return [...this.#files.keys()];
  }

  /** Sorted by path. */
  list(): BundledFile[] {
    return [...this.#files].map(([path, hash]) => ({ path, sha256: hash })).sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** One plugin's keys in a store: its namespace, and its account of keys and bytes, which all hosts keep together. */
import { Mutex } from "../../common/mutex.js";
import { quote } from "../../common/quote.js";
import type { HostTime } from "../host-time.js";
import { type Account, readAccount, sizeOf } from "./account.js";
import {
  type ClusterBackend,
  type Payer,
  rangeOf,
  rangeOfKey,
  type Snapshot,
  type StoreEntry,
  StoreError,
} from "./backend.js";
import { failed, refused } from "./errors.js";
import { FENCED } from "./fence.js";
import type { ClusterLimits } from "./grant.js";
import type { ClusterFigures } from "./limits.js";
import { ALIVE } from "./rules.js";

/** What a `Space` takes. */
export interface SpaceOptions {
  readonly backend: ClusterBackend;
  /** The beginning of all keys of Bulkhead's in the store. */
  readonly prefix: string;
  readonly plugin: string;
  readonly limits: ClusterLimits;
  readonly figures: ClusterFigures;
  /** Charged for parsing what the store holds. */
  readonly time: HostTime;
  /** Called with a sentence for the operator's log. */
  warn(words: string): void;
}

/** Entries with keys of the plugin's own, and the revision at which they were read. */
export interface Listing {
  readonly entries: readonly StoreEntry[];
  readonly revision: number;
}

/** What a write does with the present entry: a new text, null to delete it, undefined to leave it. */
type Decide = (present: StoreEntry | undefined) => string | null | undefined;

export class Space {
  /** Charged for parsing what the store holds. */
  readonly payer: Payer;
  readonly backend: ClusterBackend;
  /** The beginning of the plugin's keys in the store. */
  readonly root: string;
  readonly #accountKey: string;
  readonly #options: SpaceOptions;
  /** Serializes this host's writes: each changes the account, so of two at a time one would fail and be repeated. */
  readonly #writing = new Mutex();
  /** Lists may be long: one at a time, so that each waits until the plugin may use the main thread again. */
  readonly #listing = new Mutex();
  #closed = false;

  constructor(options: SpaceOptions) {
    const { backend, prefix, plugin } = options;
    this.backend = backend;
    this.payer = options.time;
    this.root = `${prefix}/keys/${plugin}/`;
    this.#accountKey = `${prefix}/accounts/${plugin}`;
    this.#options = options;
  }

  /** Refuses what waits: no write begins after this, and a list reads no further page. */
  close(): void {
    this.#closed = true;
  }

  async get(key: string): Promise<StoreEntry | undefined> {
    const found = await this.backend.read(rangeOfKey(this.root + key), { limit: 1, payer: this.payer });
    return this.#own("get", found.entries)[0];
  }

  /** Returns how many keys and bytes the plugin has over all hosts. */
  usage(until: number): Promise<Account> {
    return this.#account("usage", until);
  }

  /** Lists the entries that begin with `prefix`, as they are at one revision. `until`: its deadline, on `performance`'s clock. */
  async list(prefix: string, until: number = performance.now() + this.#options.figures.requestMs): Promise<Listing> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listing.run(() => this.#pages(prefix, until));
      } catch (error) {
        // The store may be compacted between two pages.
        if (!(error instanceof StoreError && error.gone === "revision") || attempt >= this.#options.figures.attempts)
          throw error;
      }
    }
  }

  /** Returns the revision of the new entry; null if the key exists. */
  create(key: string, text: string, until: number): Promise<number | null> {
    return this.#write("create", key, until, (present) => (present ? undefined : text));
  }

  /** Returns the new revision; null if the present one is another, or the key does not exist. */
  compareAndSet(key: string, revision: number, text: string, until: number): Promise<number | null> {
    return this.#write("compareAndSet", key, until, (present) => (present?.revision === revision ? text : undefined));
  }

  /** Returns the revision of the deletion; null if the key does not exist, or its revision is another. */
  delete(key: string, revision: number | undefined, until: number): Promise<number | null> {
    return this.#write("delete", key, until, (present) =>
      present && (revision === undefined || present.revision === revision) ? null : undefined,
    );
  }

  /**
   * Writes one key and the account in one transaction, guarded by the revisions of both: what was judged is what is changed, and once a
   * later write has succeeded, an earlier one with an unknown outcome has happened or never will. A try whose guards did not hold
   * changed nothing, so only those are repeated.
   */
  #write(op: string, key: string, until: number, decide: Decide): Promise<number | null> {
    const { plugin, figures } = this.#options;
    return this.#writing.run(async () => {
      for (let attempt = 0; attempt < figures.attempts; attempt++) {
        if (this.#closed) throw failed(plugin, op, "the plugin's grant has ended");
        if (performance.now() > until) throw failed(plugin, op, `it waited more than ${figures.requestMs} ms`);
        const [found, account] = await Promise.all([
          this.backend.read(rangeOfKey(this.root + key), { limit: 1, payer: this.payer }),
          this.#account(op, until),
        ]);
        const [present] = found.entries;
        const text = decide(present);
        if (text === undefined) return null;
        const next = this.#accounted(op, key, account, present, text);
        const { done, revision } = await this.backend.commit(
          [
            { key: this.root + key, revision: present?.revision ?? 0 },
            { key: this.#accountKey, revision: account.revision },
          ],
          [
            { key: this.root + key, text: text ?? undefined },
            { key: this.#accountKey, text: JSON.stringify(next) },
          ],
        );
        if (done) return revision;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * figures.pauseMs));
      }
      throw failed(plugin, op, `other hosts wrote at the same time, ${figures.attempts} times; try again`);
    });
  }

  /** Returns the account after a write. Throws `ERR_CLUSTER_REFUSED`, rule `keys` or `bytes`, unless the write makes it smaller. */
  #accounted(
    op: string,
    key: string,
    account: Account,
    present: StoreEntry | undefined,
    text: string | null,
  ): { readonly keys: number; readonly bytes: number } {
    const { plugin, limits } = this.#options;
    const keys = account.keys + (text === null ? 0 : 1) - (present ? 1 : 0);
    const size = text === null ? 0 : sizeOf(key, text);
    const bytes = account.bytes + size - (present ? sizeOf(key, present.text) : 0);
    const held = "delete some, or have grant.cluster raised";
    if (keys > limits.keys && keys > account.keys)
      throw refused(plugin, op, "keys", `the plugin has ${account.keys} keys, and is granted ${limits.keys}; ${held}`);
    if (bytes > limits.bytes && bytes > account.bytes)
      throw refused(plugin, op, "bytes", `it would have ${bytes} bytes, and is granted ${limits.bytes}; ${held}`);
    return { keys: Math.max(0, keys), bytes: Math.max(0, bytes) };
  }

  /** Reads the account; where there is none, counts what the namespace has. */
  async #account(op: string, until: number): Promise<Account> {
    const { entries } = await this.backend.read(rangeOfKey(this.#accountKey), { limit: 1, payer: this.payer });
    const [entry] = entries;
    if (entry === undefined) {
      const listed = await this.list("", until);
      const own = listed.entries.filter(({ key }) => !key.startsWith(ALIVE) && !key.startsWith(FENCED));
      const bytes = own.reduce((sum, { key, text }) => sum + sizeOf(key, text), 0);
      return { keys: own.length, bytes, revision: 0 };
    }
    const account = readAccount(entry);
    if (account) return account;
    this.#options.warn(
      `the account in ${quote(this.#accountKey)} is damaged; delete that key, and it is counted again`,
    );
    throw failed(this.#options.plugin, op, "its account of keys and bytes is damaged; the host's log says more");
  }

  async #pages(prefix: string, until: number): Promise<Listing> {
    const { time: payer, figures, plugin } = this.#options;
    const { pageEntries, requestMs } = figures;
    const { from, to } = rangeOf(this.root + prefix);
    const late = (): boolean => performance.now() > until;
    await payer.free(late);
    if (late()) throw failed(plugin, "list", `it waited more than ${requestMs} ms`);
    const first = await this.backend.read({ from, to }, { limit: pageEntries, payer });
    const { revision } = first;
    const entries: StoreEntry[] = [];
    let chars = 0;
    let last = "";
    for (let page: Snapshot = first; ; ) {
      const own = this.#own("list", page.entries);
      entries.push(...own);
      chars += own.reduce((sum, { key, text }) => sum + key.length + text.length, 0);
      if (chars > figures.listChars)
        throw failed(plugin, "list", "there is more than the plugin may have; another program has written it");
      if (!page.more) return { entries, revision };
      const next = page.entries.at(-1)?.key ?? "";
      if (next <= last)
        throw new StoreError("the store returned a page of a list that does not follow the page before it");
      last = next;
      await payer.free(late);
      if (this.#closed) throw failed(plugin, "list", "the plugin's grant has ended");
      if (late()) throw failed(plugin, "list", `it took more than ${requestMs} ms`);
      page = await this.backend.read({ from: `${last}\0`, to }, { limit: pageEntries, at: revision, payer });
    }
  }

  /** Returns entries with the plugin's own keys. Throws if one is not JSON: Bulkhead has not written it. */
  #own(op: string, entries: readonly StoreEntry[]): readonly StoreEntry[] {
    return this.#options.time.charge(() =>
      entries.map(({ key, text, revision }) => {
        try {
          JSON.parse(text);
        } catch {
          const words = `the value of ${quote(key.slice(this.root.length))} is not JSON; another program has written it`;
          throw failed(this.#options.plugin, op, words);
        }
        return { key: key.slice(this.root.length), text, revision };
      }),
    );
  }
}

/**
 * A store for one host that keeps its keys in the host's data folder: acknowledged writes survive the host's end and a power cut. Reads the
 * keys on first use.
 */
import { messageOf } from "../../../common/text.js";
import {
  type ClusterBackend,
  type Commit,
  type Guard,
  type KeyRange,
  type Payer,
  type ReadOptions,
  type Snapshot,
  StoreError,
  type StoreLease,
  type StoreWrite,
  type WatchSink,
} from "../backend.js";
import type { KeptKeys } from "../memory/kept-keys.js";
import { MemoryClusterStore } from "../memory/memory-store.js";
import { Revisions } from "../memory/revisions.js";

/** The lease of keys that an earlier host process held. */
const ENDED = "ended";

export class LocalClusterStore implements ClusterBackend {
  readonly #kept: KeptKeys;
  #opened: Promise<MemoryClusterStore> | undefined;

  constructor(kept: KeptKeys) {
    this.#kept = kept;
  }

  async read(range: KeyRange, options?: ReadOptions): Promise<Snapshot> {
    return (await this.#store()).read(range, options);
  }

  async commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit> {
    return (await this.#store()).commit(guards, writes);
  }

  watch(range: KeyRange, from: number, sink: WatchSink, _payer?: Payer): () => void {
    let isEnded = false;
    let end = (): void => {};
    const begin = async (): Promise<void> => {
      try {
        const store = await this.#store();
        if (!isEnded) end = store.watch(range, from, sink);
      } catch (error) {
        if (!isEnded) sink.ended("lost", messageOf(error));
      }
    };
    void begin();
    return () => {
      isEnded = true;
      end();
    };
  }

  async lease(ttlMs: number): Promise<StoreLease> {
    return (await this.#store()).lease(ttlMs);
  }

  async close(): Promise<void> {
    const store = await this.#opened?.catch(() => undefined);
    await store?.close();
  }

  /** Discards the revisions before this one. */
  async compact(revision: number): Promise<void> {
    (await this.#store()).compact(revision);
  }

  #store(): Promise<MemoryClusterStore> {
    if (this.#opened) return this.#opened;
    const opened = this.#open();
    this.#opened = opened;
    opened.catch(() => {
      this.#opened = undefined;
    });
    return opened;
  }

  async #open(): Promise<MemoryClusterStore> {
    try {
      const { keys, revision } = await this.#kept.load();
      const rows = keys.map(
        ({ key, text, revision, leased }) => [key, { text, revision, lease: leased ? ENDED : undefined }] as const,
      );
      const store = new MemoryClusterStore(new Revisions(new Map(rows), revision), this.#kept);
      // The holders ended with the host process that had the folder.
      const ended = keys.flatMap(({ key, leased }) => (leased ? [{ key }] : []));
      if (ended.length > 0) await store.commit([], ended);
      return store;
    } catch (error) {
      if (error instanceof StoreError) throw new StoreError(error.message, { cause: error });
      throw new StoreError(messageOf(error), { cause: error });
    }
  }
}

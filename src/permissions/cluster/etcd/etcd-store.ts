/** etcd 3.4 or later, through the JSON gateway that every member serves beside gRPC. */
import { messageOf } from "../../../common/text.js";
import type { Json } from "../../../driverapi/json.js";
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
import type { ClusterFigures } from "../limits.js";
import type { EtcdOptions } from "../options.js";
import { Gateway } from "./gateway.js";
import {
  rangeRequest,
  readCommit,
  readLease,
  readRenewal,
  readSnapshot,
  readWatchMessage,
  transactionRequest,
  type WatchMessage,
  watchRequest,
} from "./wire.js";

export class EtcdStore implements ClusterBackend {
  readonly #gateway: Gateway;
  readonly #figures: ClusterFigures;

  constructor(options: EtcdOptions, figures: ClusterFigures) {
    this.#figures = figures;
    this.#gateway = new Gateway(options, figures);
  }

  async read(range: KeyRange, options: ReadOptions = {}): Promise<Snapshot> {
    const read = (reply: Json): Snapshot => readSnapshot(reply, range);
    const { payer, limit = 0 } = options;
    const most = limit > 1 ? this.#figures.pageBytes : undefined;
    return known(() => this.#gateway.post("kv/range", rangeRequest(range, options), { read, payer, most }));
  }

  commit(guards: readonly Guard[], writes: readonly StoreWrite[]): Promise<Commit> {
    return this.#gateway.post("kv/txn", transactionRequest(guards, writes), { write: true, read: readCommit });
  }

  watch(range: KeyRange, from: number, sink: WatchSink, payer?: Payer): () => void {
    const abort = new AbortController();
    void this.#follow(range, from, sink, abort.signal, payer);
    return () => abort.abort();
  }

  async lease(ttlMs: number): Promise<StoreLease> {
    const TTL = String(Math.ceil(ttlMs / 1_000));
    const id = await known(() => this.#gateway.post("lease/grant", { TTL }, { read: readLease }));
    return {
      id,
      renew: () => known(() => this.#gateway.post("lease/keepalive", { ID: id }, { read: readRenewal })),
      end: async () => {
        // It ends by itself later.
        await this.#gateway.post("lease/revoke", { ID: id }, { read: () => {} }).catch(() => {});
      },
    };
  }

  close(): Promise<void> {
    return this.#gateway.close();
  }

  async #follow(
    range: KeyRange,
    from: number,
    sink: WatchSink,
    signal: AbortSignal,
    payer: Payer | undefined,
  ): Promise<void> {
    let ended: readonly ["compacted" | "lost", string] = ["lost", "the store closed the connection"];
    try {
      const read = (line: Json): WatchMessage => readWatchMessage(line, range);
      for await (const message of this.#gateway.lines("watch", watchRequest(range, from), signal, { read, payer })) {
        if (signal.aborted) return;
        const { changes, canceled, compacted, words } = message;
        if (changes.length > 0) sink.changes(changes);
        if (!canceled) continue;
        ended = [compacted ? "compacted" : "lost", words];
        break;
      }
    } catch (error) {
      ended = ["lost", messageOf(error)];
    }
    if (signal.aborted) return;
    sink.ended(...ended);
  }
}

/** What changes no key has no unknown outcome: it may be asked again. */
async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError) || !error.unknown) throw error;
    throw new StoreError(error.message, { ...(error.gone === undefined ? {} : { gone: error.gone }), cause: error });
  }
}

/** One plugin's part of a backend: runs its operations one at a time, and knows each key's size without reading it. */
import { Mutex } from "../../common/mutex.js";
import type { StoreBackend } from "./backend.js";

/** A namespace. While a plugin is reloaded, its old and new worker share it. */
export interface Namespace {
  /** Bytes of key and text together, by key. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The sum of `sizes`. */
  readonly total: number;
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Runs `work` alone on the namespace, FIFO. */
export type Exclusive = <T>(work: (namespace: Namespace) => Promise<T>) => Promise<T>;

const spaces = new WeakMap<StoreBackend, Map<string, Exclusive>>();

/** Returns a plugin's namespace; the same one for the same backend and name. */
export function namespaceOf(backend: StoreBackend, name: string): Exclusive {
  let known = spaces.get(backend);
  if (known === undefined) {
    known = new Map();
    spaces.set(backend, known);
  }
  let exclusive = known.get(name);
  if (exclusive === undefined) {
    exclusive = openNamespace(backend, name);
    known.set(name, exclusive);
  }
  return exclusive;
}

/** Returns the bytes that a key and its text count for. */
export function sizeOf(key: string, text: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text);
}

function openNamespace(backend: StoreBackend, name: string): Exclusive {
  const mutex = new Mutex();
  let loaded: LoadedNamespace | undefined;
  return (work) =>
    mutex.run(async () => {
      loaded ??= await load(backend, name);
      try {
        return await work(loaded);
      } catch (error) {
        // After a failed write only the backend knows its content: the sizes are read again.
        if (loaded.doubtful) loaded = undefined;
        throw error;
      }
    });
}

interface LoadedNamespace extends Namespace {
  readonly doubtful: boolean;
}

async function load(backend: StoreBackend, name: string): Promise<LoadedNamespace> {
  const sizes = new Map<string, number>();
  let total = 0;
  let doubtful = false;
  const note = (key: string, size: number | undefined): void => {
    total += (size ?? 0) - (sizes.get(key) ?? 0);
    if (size === undefined) sizes.delete(key);
    else sizes.set(key, size);
  };
  for (const { key, bytes } of await backend.entries(name)) note(key, Buffer.byteLength(key) + bytes);
  const writing = async (key: string, size: number | undefined, write: Promise<void>): Promise<void> => {
    doubtful = true;
    await write;
    doubtful = false;
    note(key, size);
  };
  return {
    sizes,
    get total() {
      return total;
    },
    get doubtful() {
      return doubtful;
    },
    get: (key) => backend.get(name, key),
    set: (key, text) => writing(key, sizeOf(key, text), backend.set(name, key, text)),
    delete: (key) => writing(key, undefined, backend.delete(name, key)),
  };
}

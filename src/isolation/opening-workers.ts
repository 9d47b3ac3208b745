/** Workers that a host process has been asked to open, and is still opening: each gets a stream, with a key if it has neighbours. */
import { randomBytes } from "node:crypto";
import type { ControlDown } from "./control.js";
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";
import { KEY_BYTES } from "./stream-seal.js";
import type { WorkerSlot, WorkerSlots } from "./worker-slots.js";

export interface OpeningOptions {
  readonly slots: WorkerSlots;
  /** True if workers share the process, so that each stream needs a key. */
  readonly shared: boolean;
  control(message: ControlDown): void;
  /** Called when a worker has not been opened in time. */
  late(why: string): void;
}

export interface Opening extends WorkerSlot {
  readonly key: Buffer | undefined;
  resolve(link: ProcessLink): void;
  reject(error: Error): void;
}

export class OpeningWorkers {
  readonly #options: OpeningOptions;
  readonly #all = new Map<number, Opening>();
  #nextId = 1;

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  /** Asks for a worker of a memory class. `alone`: it is the last one of its process. */
  open(memoryMb: number, alone: boolean): Promise<ProcessLink> {
    const { slots, shared, control, late } = this.#options;
    const taken = slots.take();
    if (taken === undefined) return Promise.reject(new Error("its host process has opened as many workers as it can"));
    const { slot } = taken;
    const id = this.#nextId++;
    const key = shared ? randomBytes(KEY_BYTES) : undefined;
    return new Promise<ProcessLink>((resolve, reject) => {
      this.#all.set(id, { ...taken, key, resolve, reject });
      control({ kind: "open", id, memoryMb, alone, slot, ...(key ? { key: key.toString("hex") } : {}) });
      setTimeout(() => {
        if (this.#all.has(id)) late(`it did not open a worker within ${WALLS.openMs} ms`);
      }, WALLS.openMs).unref();
    });
  }

  /** Returns the request that has been answered; undefined if there was none. */
  take(id: number): Opening | undefined {
    const opening = this.#all.get(id);
    this.#all.delete(id);
    return opening;
  }

  /** Called when the process has ended. */
  refuseAll(why: string): void {
    for (const { reject } of this.#all.values()) reject(new Error(why));
    this.#all.clear();
  }
}

/** Serves the names of containers on Podman's networks: aardvark-dns does not serve a plugin's network. */
import { Worker } from "node:worker_threads";
import type { Attachment } from "../../attachments/attachment.js";
import type { Logger } from "../../common/logger.js";
import { z } from "../../common/zod.js";
import { NAMES } from "./limits.js";
import type { Bound, State } from "./thread.js";
import type { NamedContainer, NamedNetwork } from "./zone.js";

/** What an attachment keeps for its names. */
export interface NameNote {
  readonly names: readonly string[];
  /** The addresses at which the network's containers ask. */
  readonly listen: readonly string[];
  /** Absent: the machine's servers answer all other names. */
  readonly forwarders?: readonly string[] | undefined;
}

const noteSchema: z.ZodType<NameNote> = z.object({
  names: z.array(z.string()),
  listen: z.array(z.string()),
  forwarders: z.array(z.string()).optional(),
});

const NOTHING: ReadonlySet<string> = new Set();

export class NameService {
  readonly #rows: () => readonly Attachment[];
  /** True for a network type whose driver answers names itself. */
  readonly byDriver: (type: string) => boolean;
  readonly #logger: Logger;
  readonly #waiting = new Map<number, (bound: ReadonlySet<string>) => void>();
  #thread: Worker | undefined;
  #last = "[]";
  #bound: ReadonlySet<string> = NOTHING;
  #id = 0;
  #closed = false;

  /** `rows`: returns the attachments as they are now. */
  constructor(rows: () => readonly Attachment[], byDriver: (type: string) => boolean, logger: Logger) {
    this.#rows = rows;
    this.byDriver = byDriver;
    this.#logger = logger;
  }

  /** Serves the names of all that is attached now. Resolves with the addresses at which names are answered. Never rejects. */
  async update(): Promise<ReadonlySet<string>> {
    const networks = networksOf(this.#rows().filter(({ type }) => !this.byDriver(type)));
    const text = JSON.stringify(networks);
    if (this.#closed || (text === this.#last && this.#waiting.size === 0)) return this.#bound;
    this.#last = text;
    if (networks.length === 0) {
      await this.#end();
      return NOTHING;
    }
    return this.#send(networks);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #send(networks: readonly NamedNetwork[]): Promise<ReadonlySet<string>> {
    const state: State = { id: ++this.#id, networks };
    this.#thread ??= this.#start();
    const bound = new Promise<ReadonlySet<string>>((resolve) => this.#waiting.set(state.id, resolve));
    this.#thread.postMessage(state);
    return bound;
  }

  #start(): Worker {
    const thread = new Worker(new URL("./thread.js", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: NAMES.heapMb },
    });
    thread.unref();
    thread.on("message", ({ id, addresses }: Bound) => {
      this.#bound = new Set(addresses);
      for (const [waiting, resolve] of this.#waiting) {
        if (waiting > id) continue;
        this.#waiting.delete(waiting);
        resolve(this.#bound);
      }
    });
    thread.on("error", (error) => this.#logger.error({ err: error }, "podman: the thread that answers names failed"));
    thread.once("exit", () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#settleAll();
      setTimeout(() => {
        this.#last = "";
        void this.update();
      }, NAMES.restartMs).unref();
    });
    return thread;
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#settleAll();
    await thread?.terminate();
  }

  #settleAll(): void {
    this.#bound = NOTHING;
    for (const resolve of this.#waiting.values()) resolve(NOTHING);
    this.#waiting.clear();
  }
}

function networksOf(rows: readonly Attachment[]): readonly NamedNetwork[] {
  const networks = new Map<string, NamedNetwork & { readonly containers: NamedContainer[] }>();
  for (const { phase, nid, container, links, note } of rows) {
    const read = noteSchema.safeParse(note);
    if (phase !== "live" || !read.success || read.data.listen.length === 0) continue;
    const { names, listen, forwarders } = read.data;
    const addresses = links.flatMap((one) => one.addresses).map((one) => one.split("/")[0] ?? "");
    const network = networks.get(nid) ?? { id: nid, listen, forwarders, containers: [] };
    network.containers.push({ id: container, names, addresses });
    networks.set(nid, network);
  }
  return [...networks.values()];
}

/**
 * Follows one range of a plugin's keys without silent gaps: changes that the store no longer has are replaced by a list. Linearizable
 * reads at intervals prove that nothing was missed; without such a proof the plugin is told that it may be behind.
 */
import { quote } from "../../common/quote.js";
import { messageOf } from "../../common/text.js";
import { type Change, rangeOf, StoreError, type WatchSink } from "./backend.js";
import type { ClusterFigures } from "./limits.js";
import type { Space } from "./space.js";
import type { WatchEvent } from "./watch-event.js";

/** What a `Follow` takes. */
export interface FollowOptions {
  readonly space: Space;
  readonly prefix: string;
  /** The first revision wanted; undefined: begin with a list. */
  readonly from: number | undefined;
  readonly figures: ClusterFigures;
  tell(event: WatchEvent): void;
  /** Called with a sentence for the operator's log. */
  warn(words: string): void;
}

/** After this many watches in a row that ended without reporting a change, a list replaces them. */
const BARREN = 3;

export class Follow {
  readonly #options: FollowOptions;
  /** The last revision that was told; undefined: a list is needed. */
  #position: number | undefined;
  /** Keys in the range at that revision. */
  #count = 0;
  /** Counts changes told, to see whether any came during a check. */
  #activity = 0;
  /** A revision that the store had at time `at`: once the watch reaches it, all changes up to that time have been told. */
  #target: { readonly revision: number; readonly at: number } | undefined;
  #provenAt = performance.now();
  #stale = false;
  #unwatch: (() => void) | undefined;
  /** Counts openings; what belongs to an earlier one is ignored. */
  #opening = 0;
  #reopenMs: number;
  /** Checks in a row that found a difference. */
  #differs = 0;
  #timers: readonly NodeJS.Timeout[] = [];
  #running = false;
  /** Watches in a row that were opened and told nothing. */
  #barren = 0;
  /** Why it was last interrupted. */
  #problem = "the store does not answer";

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#reopenMs = options.figures.reopenMs;
    this.#position = options.from === undefined ? undefined : options.from - 1;
  }

  /** How far it is: the last revision told (null: none yet), and how long ago nothing was missing, in milliseconds. */
  get state(): { readonly revision: number | null; readonly provenMs: number; readonly stale: boolean } {
    const provenMs = Math.max(0, Math.round(performance.now() - this.#provenAt));
    return { revision: this.#position ?? null, provenMs, stale: this.#stale };
  }

  /** Begins; after `stop`, with a list. */
  start(): void {
    this.#running = true;
    this.#provenAt = performance.now();
    void this.#open();
  }

  /** Tells nothing more. */
  stop(): void {
    this.#running = false;
    this.#position = undefined;
    this.#close();
  }

  #close(): void {
    this.#opening++;
    this.#unwatch?.();
    this.#unwatch = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  /** Lists if needed, and watches from there. */
  async #open(): Promise<void> {
    this.#close();
    const opening = this.#opening;
    this.#ageLater();
    const { space, prefix } = this.#options;
    const range = rangeOf(space.root + prefix);
    try {
      if (this.#position === undefined) {
        const began = performance.now();
        const { entries, revision } = await space.list(prefix);
        if (opening !== this.#opening) return;
        this.#set(revision, entries.length);
        this.#proven(began);
        this.#tell({ type: "resync", entries, revision });
        if (opening !== this.#opening) return;
      } else {
        const position = Math.max(1, this.#position);
        const { count, revision } = await space.backend.read(range, {
          ...{ at: position, limit: 1, names: true, payer: space.payer },
        });
        if (opening !== this.#opening) return;
        if (revision < position) throw new StoreError("the store has an earlier revision", { gone: "revision" });
        this.#set(position, count);
      }
    } catch (error) {
      if (opening !== this.#opening) return;
      this.#problem = messageOf(error);
      this.#reopen(error instanceof StoreError && error.gone === "revision");
      return;
    }
    const from = (this.#position ?? 0) + 1;
    const sink: WatchSink = {
      changes: (changes) => {
        if (opening === this.#opening) this.#changed(changes);
      },
      ended: (why, words) => {
        if (opening !== this.#opening) return;
        this.#problem = words;
        // Changes that exceed the limit of a line, for example, would end each new watch in the same way.
        this.#reopen(why === "compacted" || ++this.#barren >= BARREN);
      },
    };
    this.#unwatch = space.backend.watch(range, from, sink, space.payer);
    this.#checkLater(this.#options.figures.checkMs);
  }

  #set(position: number, count: number): void {
    this.#position = position;
    this.#count = count;
    this.#target = undefined;
    this.#differs = 0;
  }

  /** Opens again after a pause; `list`: begins with a list, because the changes in between are lost. */
  #reopen(list: boolean): void {
    this.#close();
    if (list) this.#position = undefined;
    const { reopenMaxMs } = this.#options.figures;
    this.#timer(this.#reopenMs, () => void this.#open());
    this.#reopenMs = Math.min(this.#reopenMs * 2, reopenMaxMs);
    this.#ageLater();
  }

  #changed(changes: readonly Change[]): void {
    const { root } = this.#options.space;
    const opening = this.#opening;
    const strange = this.#options.space.payer.charge(() =>
      changes.find(({ text }) => text !== undefined && !isJson(text)),
    );
    if (strange) {
      // While the value is there the list fails too, and the watch becomes stale.
      this.#problem = `the value of ${quote(strange.key)} is not JSON; another program has written it`;
      this.#reopen(true);
      return;
    }
    for (const { key, text, revision, created } of changes) {
      if (revision <= (this.#position ?? 0)) continue;
      this.#count += text === undefined ? -1 : created ? 1 : 0;
      const own = key.slice(root.length);
      this.#tell(
        text === undefined ? { type: "delete", key: own, revision } : { type: "put", key: own, text, revision },
      );
    }
    // `tell` may have stopped the watch, which then begins again with a list.
    if (opening !== this.#opening) return;
    this.#position = Math.max(this.#position ?? 0, changes.at(-1)?.revision ?? 0);
    this.#activity++;
    this.#barren = 0;
    this.#reopenMs = this.#options.figures.reopenMs;
    if (this.#target && this.#position >= this.#target.revision) this.#proven(this.#target.at);
  }

  #checkLater(ms: number): void {
    this.#timer(ms, () => void this.#check());
  }

  /**
   * Reads what was written after the position. If nothing was, and the number of keys is the watch's own count, the watch has missed no
   * change that still has an effect at the read's revision.
   */
  async #check(): Promise<void> {
    const opening = this.#opening;
    const { space, prefix, figures, warn } = this.#options;
    const position = this.#position ?? 0;
    const activity = this.#activity;
    const at = performance.now();
    try {
      const range = rangeOf(space.root + prefix);
      const seen = await space.backend.read(range, {
        ...{ after: position, limit: 1, names: true, payer: space.payer },
      });
      if (opening !== this.#opening) return;
      if (seen.revision < position) {
        warn(`the store has gone back from revision ${position} to ${seen.revision}: was it restored from a copy?`);
        this.#reopen(true);
        return;
      }
      if (activity !== this.#activity) {
        this.#target ??= { revision: seen.revision, at };
        this.#differs = 0;
        if ((this.#position ?? 0) >= this.#target.revision) this.#proven(this.#target.at);
      } else if (seen.entries.length === 0 && seen.count === this.#count) {
        this.#differs = 0;
        this.#proven(at);
        this.#tell({ type: "progress", revision: seen.revision });
      } else if (++this.#differs > 1) {
        warn("a watch of the store missed changes; it is opened again, with a list");
        this.#reopen(true);
        return;
      }
    } catch (error) {
      // An unanswered check proves nothing, so the watch becomes stale in time.
      if (opening !== this.#opening) return;
      this.#problem = messageOf(error);
    }
    if (opening === this.#opening) this.#checkLater(this.#differs > 0 ? figures.recheckMs : figures.checkMs);
  }

  #proven(at: number): void {
    this.#provenAt = Math.max(this.#provenAt, at);
    this.#target = undefined;
    this.#stale = false;
    this.#barren = 0;
    this.#reopenMs = this.#options.figures.reopenMs;
  }

  /** Tells once when the last proof is too old. */
  #ageLater(): void {
    const { staleMs } = this.#options.figures;
    const age = performance.now() - this.#provenAt;
    if (!this.#stale && age >= staleMs) {
      this.#stale = true;
      this.#options.warn(`a watch may be behind for ${Math.round(age)} ms: ${this.#problem}`);
      this.#tell({ type: "stale", ms: Math.round(age) });
    }
    this.#timer(Math.max(staleMs - age, staleMs / 4), () => this.#ageLater());
  }

  #tell(event: WatchEvent): void {
    if (this.#running) this.#options.tell(event);
  }

  #timer(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers = this.#timers.filter((one) => one !== timer);
      work();
    }, Math.ceil(ms)).unref();
    this.#timers = [...this.#timers, timer];
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

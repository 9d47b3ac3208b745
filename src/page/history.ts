/** The last minutes of each plugin, for the charts: a page that is opened after an incident shows what came before. */
import type { PluginRow } from "../control/types.js";
import { PAGE } from "./limits.js";

/** Values of one plugin, one per time; `null`: unknown, or nothing was answered. */
export interface Series {
  /** Mean latency of the replies since the sample before, in milliseconds. */
  readonly latency: readonly (number | null)[];
  /** CPU time since the sample before, in percent of one processor. */
  readonly cpu: readonly (number | null)[];
  /** Resident memory of its host process, in MiB. */
  readonly memory: readonly (number | null)[];
}

export interface HistoryReply {
  /** Unix time of each sample, in seconds, ascending. */
  readonly times: readonly number[];
  readonly plugins: Readonly<Record<string, Series>>;
}

interface Sample {
  readonly time: number;
  readonly rows: ReadonlyMap<string, PluginRow>;
}

export class History {
  /** One more than is returned, for the first difference. */
  readonly #samples: Sample[] = [];

  /** Adds a sample; the oldest makes room. `time`: Unix time, in seconds. */
  add(rows: readonly PluginRow[], time: number): void {
    const charted = rows.slice(0, PAGE.charts).map((row) => [row.id, row] as const);
    this.#samples.push({ time, rows: new Map(charted) });
    if (this.#samples.length > PAGE.samples + 1) this.#samples.shift();
  }

  /** Returns the series of the plugins in the last sample. */
  reply(): HistoryReply {
    const after = this.#samples.slice(1);
    const ids = [...(this.#samples.at(-1)?.rows.keys() ?? [])];
    return {
      times: after.map(({ time }) => time),
      plugins: Object.fromEntries(ids.map((id) => [id, this.#series(id)])),
    };
  }

  #series(id: string): Series {
    const pairs = this.#samples.slice(1).map((sample, at) => [this.#samples[at], sample] as const);
    return {
      latency: pairs.map(([before, sample]) => latency(before?.rows.get(id), sample.rows.get(id))),
      cpu: pairs.map(([before, sample]) => {
        const spent = difference(before?.rows.get(id)?.cpuMs, sample.rows.get(id)?.cpuMs);
        const seconds = sample.time - (before?.time ?? sample.time);
        return spent === null || seconds <= 0 ? null : spent / seconds / 10;
      }),
      memory: pairs.map(([, sample]) => sample.rows.get(id)?.memoryMb ?? null),
    };
  }
}

function latency(before: PluginRow | undefined, now: PluginRow | undefined): number | null {
  const count = difference(before?.latency.count, now?.latency.count);
  const total = difference(before?.latency.total, now?.latency.total);
  return count === null || total === null || count === 0 ? null : total / count;
}

/** Counters begin again when a plugin is loaded again. */
function difference(before: number | undefined, now: number | undefined): number | null {
  return before === undefined || now === undefined || now < before ? null : now - before;
}

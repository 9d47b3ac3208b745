/** Calls at a fixed rate, whether or not the earlier ones have been answered: what waits is seen as latency, not as a lower rate. */
import { isDeepStrictEqual } from "node:util";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { NETWORK, question } from "./good.js";

export interface Tally {
  sent: number;
  answered: number;
  /** Answers that were not the expected one. */
  readonly wrong: string[];
  /** Calls that were answered by an error. Nothing is tried again. */
  readonly lost: string[];
  /** Milliseconds from the moment each call was due. */
  readonly latencies: number[];
}

const TICK_MS = 5;

/** `perSecond` calls a second to each driver for `seconds`; resolves when the last one has been answered. */
export async function openLoop(
  drivers: ReadonlyMap<string, HostedDriver>,
  perSecond: number,
  seconds: number,
): Promise<Tally> {
  const tally: Tally = { sent: 0, answered: 0, wrong: [], lost: [], latencies: [] };
  const names = [...drivers];
  const total = perSecond * seconds;
  const began = performance.now();
  const open: Promise<void>[] = [];
  // Plugins are out of step, so that calls are spread over the interval.
  const due = (place: number, n: number): number => began + ((n + place / names.length) * 1000) / perSecond;
  const ask = async ([name, driver]: readonly [string, HostedDriver], n: number, at: number): Promise<void> => {
    const { eid, expected } = question(name, n);
    try {
      const answer = await driver.endpointOperInfo(NETWORK, eid);
      tally.latencies.push(performance.now() - at);
      if (isDeepStrictEqual({ ...answer }, expected)) tally.answered++;
      else tally.wrong.push(`${name} ${eid}: ${JSON.stringify(answer)}`);
    } catch (error) {
      const { code, message } = error as { readonly code?: string; readonly message: string };
      tally.lost.push(`${name} ${eid} at ${Math.round(at - began)} ms: ${code}: ${message}`);
    }
  };
  const next = names.map(() => 0);
  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const now = performance.now();
      for (const [place, one] of names.entries()) {
        for (let n = next[place] ?? 0; n < total && due(place, n) <= now; n++) {
          next[place] = n + 1;
          tally.sent++;
          open.push(ask(one, n, due(place, n)));
        }
      }
      if (next.some((n) => n < total)) return;
      clearInterval(tick);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(open);
  return tally;
}

/** The latency that `share` of all calls stayed under, in milliseconds. */
export function quantile({ latencies }: Tally, share: number): number {
  const sorted = [...latencies].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Saturation: a fixed number of callers, each asking again as soon as it is answered. */

export interface Peer {
  readonly id: string;
  readonly what: string;
  start(): Promise<void>;
  /** One request; resolves when it is answered. */
  call(n: number): Promise<unknown>;
  stop(): Promise<void>;
}

/** Answers per second with `inFlight` callers over `ms`, after a warm-up of a quarter of that. */
export async function saturate(peer: Peer, inFlight: number, ms: number): Promise<number> {
  let n = 0;
  const round = async (until: number): Promise<number> => {
    let answered = 0;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (performance.now() < until) {
          await peer.call(n++);
          answered++;
        }
      }),
    );
    return answered;
  };
  await round(performance.now() + ms / 4);
  const started = performance.now();
  const answered = await round(started + ms);
  return (answered / (performance.now() - started)) * 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

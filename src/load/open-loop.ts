/**
 * Open loop: sends requests at a fixed rate, regardless of pending ones. Latency counts from the intended time of sending, so that
 * stalls count too (no coordinated omission).
 */
import { monotonicNow } from "../common/clock.js";
import type { Target } from "./closed-loop.js";
import { Histogram, type Quantiles } from "./histogram.js";
import { LOAD } from "./limits.js";
import { Metronome } from "./metronome.js";

export interface OpenLoop {
  /** Requests offered each second. */
  readonly perSecond: number;
  /** Duration in milliseconds, after a warm-up of a quarter of that. */
  readonly ms: number;
  /** Number of the first request. */
  readonly first?: number;
}

export interface OpenLoopResult {
  /** Requests offered each second. */
  readonly offered: number;
  /** Replies per second, up to the last one. */
  readonly perSecond: number;
  /** From the intended sending to the reply; without a reply, the time waited. */
  readonly latency: Quantiles;
  /** Requests without a reply `LOAD.drainMs` after the last one was due, including those never sent. */
  readonly unanswered: number;
  /** Number of the next request. */
  readonly next: number;
}

/** Runs the loop with at most `LOAD.open` pending requests; waiting counts as latency. Rejects with the first failure of a request. */
export async function openLoop(target: Target, { perSecond, ms, first = 0 }: OpenLoop): Promise<OpenLoopResult> {
  const warm = await offer(target, perSecond, ms / 4, first);
  return offer(target, perSecond, ms, warm.next);
}

async function offer(target: Target, perSecond: number, ms: number, first: number): Promise<OpenLoopResult> {
  const count = Math.max(1, Math.round((perSecond * ms) / 1000));
  const latency = new Histogram();
  const beaten = perSecond <= LOAD.beatsPerSecond;
  const began = monotonicNow() + (beaten ? LOAD.metronomeMs : 0);
  const due = (index: number): number => began + (index * 1000) / perSecond;
  const metronome = beaten ? new Metronome({ began, perSecond, count }) : undefined;
  const end = due(count) + LOAD.drainMs;
  const open = new Set<number>();
  let sent = 0;
  let last = began;
  let failure: { readonly error: unknown } | undefined;
  const send = (index: number): void => {
    open.add(index);
    target(first + index).then(
      () => {
        last = monotonicNow();
        // A reply after the end has been counted below.
        if (open.delete(index)) latency.record(last - due(index));
      },
      (error: unknown) => {
        open.delete(index);
        failure ??= { error };
      },
    );
  };
  try {
    while ((sent < count || open.size > 0) && monotonicNow() < end && !failure) {
      while (sent < count && open.size < LOAD.open && due(sent) <= monotonicNow()) send(sent++);
      const more = sent < count && open.size < LOAD.open;
      const next = more ? due(sent) - monotonicNow() : LOAD.timerMs * 2;
      if (more && metronome) await metronome.beat(next + LOAD.timerMs);
      else await pause(next);
    }
  } finally {
    await metronome?.stop();
  }
  if (failure) throw failure.error;
  const answered = latency.count;
  const unanswered = count - answered;
  const now = monotonicNow();
  for (const index of open) latency.record(now - due(index));
  for (let index = sent; index < count; index++) latency.record(now - due(index));
  open.clear();
  return {
    offered: perSecond,
    perSecond: (answered / Math.max(last - began, ms)) * 1000,
    latency: latency.quantiles(),
    unanswered,
    next: first + count,
  };
}

/** Waits; short waits turn the event loop instead, since a timer may be a millisecond late. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms > LOAD.timerMs) setTimeout(resolve, ms - LOAD.timerMs);
    else setImmediate(resolve);
  });
}

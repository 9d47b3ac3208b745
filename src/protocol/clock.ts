let offset = Number.NEGATIVE_INFINITY;
// The two clocks cannot be read at once. Each try errs low by the time between the readings: the highest is the truest.
for (let i = 0; i < 8; i++) {
  const [seconds, nanoseconds] = process.hrtime();
  offset = Math.max(offset, seconds * 1000 + nanoseconds / 1e6 - performance.now());
}

/** Monotonic milliseconds that all threads and processes of one machine agree on (CLOCK_MONOTONIC). */
export function monotonicNow(): number {
  return offset + performance.now();
}

let offset = Number.NEGATIVE_INFINITY;
// The two clocks cannot be read at once, and each try errs low by the time between the readings: the highest is the
// most accurate.
for (let i = 0; i < 8; i++) {
  const [seconds, nanoseconds] = process.hrtime();
  offset = Math.max(offset, seconds * 1000 + nanoseconds / 1e6 - performance.now());
}

/** Returns monotonic milliseconds on which all threads and processes of one machine agree (CLOCK_MONOTONIC). */
export function monotonicNow(): number {
  return offset + performance.now();
}

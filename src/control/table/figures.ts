/** Figures as people read them. */

/** Returns `3 s`, `12 min`, `5 h 3 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min`;
  if (days === 0) return `${hours} h ${minutes % 60} min`;
  return `${days} d ${hours % 24} h`;
}

/** Returns milliseconds with two significant digits: `0.42 ms`, `13 ms`, `1.2 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${digits(ms / 1000)} s`;
  return `${digits(ms)} ms`;
}

/** Returns the same time of day that the host's log has: UTC, without the date. */
export function clock(time: string): string {
  return time.slice(11, 23);
}

export function memory(mib: number | null): string {
  return mib === null ? "-" : `${Math.round(mib)} MiB`;
}

function digits(value: number): string {
  return value >= 10 || value === 0 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

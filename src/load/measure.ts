/** Measures one driver for `bulkhead bench`: saturation in a closed loop, then latency in an open loop at half that rate. */
import type { JsonObject } from "../driverapi/json.js";
import type { HostedDriver } from "../driverapi/types.js";
import { closedLoop } from "./closed-loop.js";
import type { Quantiles } from "./histogram.js";
import { LOAD } from "./limits.js";
import { openLoop } from "./open-loop.js";
import { CALLS, prepareWork, type Work, workOn } from "./work.js";

/** One measurement: units of work per second, and the latency of a unit in microseconds. */
export interface Measured {
  readonly loop: "closed" | "open";
  /** Concurrent units; null in an open loop. */
  readonly inFlight: number | null;
  /** Units offered each second; null in a closed loop. */
  readonly offered: number | null;
  readonly perSecond: number;
  readonly callsPerSecond: number;
  readonly latency: Quantiles;
  /** Units without a reply in time; 0 in a closed loop. */
  readonly unanswered: number;
}

export interface MeasureOptions {
  readonly work: Work;
  /** Duration of each measurement, in milliseconds. */
  readonly ms: number;
  /** Given to `createNetwork`. */
  readonly networkOptions: JsonObject;
}

/** Calls `row` with each measurement. Rejects with the driver's first error. */
export async function measure(
  driver: HostedDriver,
  options: MeasureOptions,
  row: (one: Measured) => void,
): Promise<void> {
  const { work, ms, networkOptions } = options;
  if (work !== "network") await prepareWork(driver, networkOptions);
  const target = workOn(driver, work, networkOptions);
  let saturation = 1;
  let first = 0;
  for (const inFlight of LOAD.inFlight) {
    const { perSecond, latency, next } = await closedLoop(target, { inFlight, ms, first });
    first = next;
    const callsPerSecond = perSecond * CALLS[work];
    saturation = Math.max(saturation, perSecond);
    row({ loop: "closed", inFlight, offered: null, perSecond, callsPerSecond, latency, unanswered: 0 });
  }
  const { next: _, ...open } = await openLoop(target, { perSecond: saturation / 2, ms, first });
  row({ loop: "open", inFlight: null, callsPerSecond: open.perSecond * CALLS[work], ...open });
}

/** Bounded waiting: until granted, until the deadline, or until the caller aborts, whichever comes first. */

import { monotonicNow } from "../../common/clock.js";
import type { DriverError } from "../../driverapi/errors.js";
import { whenAborted } from "../abort-signals.js";

export interface WaitLimits {
  /** Monotonic milliseconds. */
  readonly expires: number;
  readonly signal: AbortSignal | undefined;
  /** Creates the error for a passed deadline. */
  late(): DriverError;
  /** Creates the error for the caller's abort. */
  aborted(): DriverError;
}

/** Puts a waiter into a queue; the queue calls one of the two, once, later. */
export type Enqueue<V> = (resolve: (value: V) => void, reject: (error: DriverError) => void) => { cancel(): void };

export function waitInQueue<V>({ expires, signal, late, aborted }: WaitLimits, enqueue: Enqueue<V>): Promise<V> {
  return new Promise<V>((resolve, reject) => {
    const stopWaiting = (): void => {
      clearTimeout(timer);
      unlisten?.();
    };
    const waiter = enqueue(
      (value) => {
        stopWaiting();
        resolve(value);
      },
      (error) => {
        stopWaiting();
        reject(error);
      },
    );
    const giveUp = (error: DriverError): void => {
      waiter.cancel();
      stopWaiting();
      reject(error);
    };
    const timer = setTimeout(() => giveUp(late()), Math.max(0, expires - monotonicNow()));
    const unlisten = signal && whenAborted(signal, () => giveUp(aborted()));
  });
}

/** Answers an executable by a deadline, whatever its driver does: Podman waits without a limit. */
import { DriverError } from "../driverapi/errors.js";
import { PODMAN } from "./limits.js";

export interface DeadlineOptions<T> {
  /** The network type. */
  readonly type: string;
  /** The deadline in milliseconds. Default: `PODMAN.answerMs`. */
  readonly ms?: number;
  /** Undoes what succeeded after the answer; given its result. */
  late?(result: T): Promise<unknown>;
}

/** Settles as `work` does, or rejects with `ERR_DRIVER_TIMEOUT` at the deadline. */
export async function answeredWithin<T>(
  work: Promise<T>,
  { type, ms = PODMAN.answerMs, late }: DeadlineOptions<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const words = `driver "${type}" did not answer within ${ms} ms; what it does later is undone`;
      reject(new DriverError("ERR_DRIVER_TIMEOUT", words, { driver: type }));
      void work.then(late).catch(() => {});
    }, ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

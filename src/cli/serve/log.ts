/** The daemon's log: pino's lines of JSON on standard error. */
import { destination, pino } from "pino";
import type { Logger } from "../../common/logger.js";
import type { LogLevel } from "./settings.js";

/** Opens the log. Lines are written synchronously, so that a kill loses none. */
export function daemonLog(level: LogLevel): Logger {
  return pino(
    { name: "bulkhead", level, timestamp: () => `,"time":"${new Date().toISOString()}"`, base: { pid: process.pid } },
    destination({ dest: 2, sync: true }),
  ) as unknown as Logger;
}

/** The plugin's entry: registers the one driver. */
import { type DriverCallback, GlobalScope, type Powers } from "bulkhead/plugin";
import { createDriver, networkType } from "./driver.ts";
import { OVERLAY } from "./limits.ts";

export async function init(
  callback: DriverCallback,
  powers: Powers<"netlink" | "firewall" | "cluster" | "store" | "random" | "log">,
): Promise<void> {
  const driver = await createDriver(powers, {
    log: (level, words, fields) => powers.log(level, words, fields),
    pause: () => new Promise((resolve) => void setTimeout(resolve, OVERLAY.makerPauseMs)),
    later: (work) => void setTimeout(work, OVERLAY.rewatchMs),
  });
  await callback.registerDriver(networkType, driver, { scope: GlobalScope });
}

/** The plugin's entry: registers the one driver. */
import { type DriverCallback, LocalScope, type Powers } from "bulkhead/plugin";
import { createDriver, networkType } from "./driver.ts";

export async function init(
  callback: DriverCallback,
  powers: Powers<"netlink" | "store" | "firewall" | "resolver" | "log"> & Partial<Powers<"traffic">>,
): Promise<void> {
  const driver = await createDriver(powers, {
    now: () => performance.now(),
    log: (network, client, refusal) => powers.log("warn", "refused", { network, client, ...refusal }),
    every: (ms, work) => void setInterval(work, ms),
  });
  await callback.registerDriver(networkType, driver, { scope: LocalScope });
}

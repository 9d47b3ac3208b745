/** The plugin's entry: registers the one driver. */
import { type DriverCallback, LocalScope, type Powers } from "bulkhead/plugin";
import { createDriver, networkType } from "./driver.ts";

export async function init(
  callback: DriverCallback,
  powers: Powers<"netlink" | "store"> & Partial<Powers<"firewall" | "traffic">>,
): Promise<void> {
  await callback.registerDriver(networkType, await createDriver(powers), { scope: LocalScope });
}

/** The plugin's entry: registers the one driver. */
import { type DriverCallback, LocalScope } from "bulkhead/plugin";
import { createDriver, networkType } from "./driver.ts";

export async function init(callback: DriverCallback): Promise<void> {
  await callback.registerDriver(networkType, createDriver(), { scope: LocalScope });
  console.info("hello-ts is registered");
}

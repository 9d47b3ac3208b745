/** Which drivers answer names themselves: those whose plugin is granted `resolver`. Nothing else listens at their gateways. */
import { DriverError } from "../../driverapi/errors.js";
import type { OperatorHost } from "../../host/operator-host.js";

/**
 * Returns a function that says whether a network type's driver does. While a plugin is out of service, what it was granted before holds;
 * a type of which nothing is known yet counts as answering itself.
 */
export function namesByDriver(host: Pick<OperatorHost, "view" | "plugin">): (type: string) => boolean {
  const known = new Map<string, boolean>();
  return (type) => {
    try {
      const { plugin } = host.view(type);
      const granted = plugin === "" ? {} : host.plugin(plugin).effective?.permissions;
      if (granted) known.set(type, granted.resolver !== undefined);
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
    }
    return known.get(type) ?? true;
  };
}

/** Logs published ports: an engine does not show those of a plugin's network. */

import type { Logger } from "../common/logger.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import { addressesOf, plainAddress } from "./conflicts.js";
import { short } from "./engine-errors.js";

/** Logs which ports lead to an endpoint, including those that the driver chose. Never rejects. */
export async function logPorts(
  logger: Logger,
  view: TypeView,
  {
    nid,
    eid,
    interfaces,
  }: { readonly nid: string; readonly eid: string; readonly interfaces: readonly InterfaceData[] },
): Promise<void> {
  const ips = addressesOf(interfaces);
  try {
    const own = (await view.published()).filter(({ ip }) => ips.includes(plainAddress(ip)));
    if (own.length === 0) return;
    const ports = own.map(({ hostIP, hostPort, ip, port, protocol }) => {
      const host = hostIP ?? (ip.includes(":") ? "::" : "0.0.0.0");
      return `${host.includes(":") ? `[${host}]` : host}:${hostPort}->${port}/${protocol}`;
    });
    logger.info(
      { network: nid, endpoint: eid, ports },
      `docker: endpoint ${short(eid)} of network ${short(nid)} publishes ${ports.join(", ")}`,
    );
  } catch (error) {
    logger.warn({ err: error }, "docker: published ports could not be read");
  }
}

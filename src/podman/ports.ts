/** Published ports, one by one. */

import type { PortSpec } from "../attachments/attachment.js";
import { ATTACHMENTS } from "../attachments/limits.js";
import { DriverError } from "../driverapi/errors.js";
import type { PodmanPort } from "./wire.js";

/** Returns the ports of all ranges. Throws `ERR_CONTROL_REQUEST` if they are too many, or beyond the last port. */
export function portSpecs(mappings: readonly PodmanPort[]): readonly PortSpec[] {
  const count = mappings.reduce((sum, { range }) => sum + range, 0);
  if (count > ATTACHMENTS.ports)
    throw new DriverError(
      "ERR_CONTROL_REQUEST",
      `the container publishes ${count} ports, and may publish ${ATTACHMENTS.ports}: publish fewer, or use the network "host"`,
    );
  return mappings.flatMap(({ container_port, host_port, host_ip, protocol, range }) => {
    if (Math.max(container_port, host_port) + range - 1 > 65_535)
      throw new DriverError("ERR_CONTROL_REQUEST", `a range of ${range} ports from ${host_port} ends beyond 65535`);
    return Array.from({ length: range }, (_, at): PortSpec => {
      const hostPort = host_port === 0 ? 0 : host_port + at;
      return { protocol, containerPort: container_port + at, hostPort, hostIP: host_ip };
    });
  });
}

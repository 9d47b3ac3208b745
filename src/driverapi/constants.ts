/** The seed's constants. Nothing is imported here: plugins bundle this file. */

/** The endpoint type used by the plugin system (the seed's `NetworkPluginEndpointType`). */
export const NetworkPluginEndpointType = "NetworkDriver";

/** The driver is capable of providing networking services for containers in a single host. */
export const LocalScope = "local";

/** The driver is capable of providing networking services for containers across hosts. */
export const GlobalScope = "global";

/** A static route that goes through a next hop (libnetwork's `types.NEXTHOP`). */
export const NEXTHOP = 0;

/** A static route to a directly connected network, bound to an interface (libnetwork's `types.CONNECTED`). */
export const CONNECTED = 1;

/** The nine methods of the seed's `Driver`, in its order. */
export const DRIVER_METHODS = [
  "config",
  "createNetwork",
  "deleteNetwork",
  "createEndpoint",
  "deleteEndpoint",
  "endpointOperInfo",
  "join",
  "leave",
  "type",
] as const;

/**
 * Methods that a driver may have beyond the seed's nine, from libnetwork's later `driverapi`. A driver has all of them or none.
 */
export const OPTIONAL_DRIVER_METHODS = ["programExternalConnectivity", "revokeExternalConnectivity"] as const;

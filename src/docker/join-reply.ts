/** The reply to Join. */
import type { JoinData } from "../driverapi/types.js";

/** Creates the reply in both forms: an engine of 2015 reads the lists. Without a gateway, the engine attaches its own. */
export function joinReply({ names, gateway, gatewayIPv6, staticRoutes }: JoinData): object {
  const [first] = names;
  const routes = staticRoutes.map(({ destination, routeType, nextHop, interfaceID }) => ({
    Destination: destination,
    RouteType: routeType,
    NextHop: nextHop,
    InterfaceID: interfaceID,
  }));
  return {
    ...(first ? { InterfaceName: { SrcName: first.srcName, DstPrefix: first.dstPrefix } } : {}),
    InterfaceNames: names.map(({ srcName, dstPrefix }) => ({ SrcName: srcName, DstPrefix: dstPrefix })),
    Gateway: gateway,
    GatewayIPv6: gatewayIPv6,
    StaticRoutes: routes,
  };
}

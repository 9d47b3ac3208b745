/** `epInfo` and `jinfo` as a driver sees them: local and free to read; writes are recorded and sent with the reply. */
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { DriverError } from "../driverapi/errors.js";
import { parseInterface } from "../driverapi/interfaces.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { InterfaceData, JoinData } from "../driverapi/types.js";
import { LIMITS } from "../protocol/limits.js";
import { freezeDeep } from "./call-context.js";
import { guarded } from "./errors.js";

/**
 * Creates an endpoint's info with the interfaces `given`; `added()` returns what the driver added. Under `replay`, the given
 * interfaces are those the driver once added itself: adding the same ones again is allowed.
 */
export function createEndpointInfo(
  given: readonly InterfaceData[],
  replay: boolean,
): { readonly plugin: object; added(): readonly InterfaceData[] } {
  const config = new EndpointConfig(given);
  const counted = counter(LIMITS.interfaces, "an endpoint", "interfaces");
  const add = (id: unknown, mac: unknown, ipv4: unknown, ipv6: unknown): void => {
    const one = parseInterface(id, mac, ipv4, ipv6);
    if (
      replay &&
      given.some((had) => had.id === one.id && had.mac === one.mac && had.ipv4 === one.ipv4 && had.ipv6 === one.ipv6)
    )
      return;
    counted();
    config.addInterface(one.id, one.mac, one.ipv4, one.ipv6);
  };
  const list = (): readonly object[] =>
    Object.freeze(
      config.interfaces().map((one) =>
        freezeDeep({
          id: () => one.id(),
          macAddress: () => one.macAddress(),
          address: () => one.address(),
          addressIPv6: () => one.addressIPv6(),
        }),
      ),
    );
  return {
    plugin: freezeDeep({
      interfaces: () => list(),
      addInterface: (id: number, mac?: string, ipv4?: string, ipv6?: string) => guarded(() => add(id, mac, ipv4, ipv6)),
    }),
    added: () => (given.length > 0 ? [] : config.toJSON()),
  };
}

/** Creates a join's info over the interfaces `ids`; `recorded()` returns what the driver set. */
export function createJoinInfo(ids: readonly number[]): { readonly plugin: object; recorded(): JoinData } {
  const config = new JoinConfig(ids);
  const counted = counter(LIMITS.routes, "a join", "static routes");
  const names = Object.freeze(
    config.interfaceNames().map((one) =>
      freezeDeep({
        id: () => one.id(),
        setNames: (srcName: string, dstPrefix: string) => guarded(() => one.setNames(srcName, dstPrefix)),
      }),
    ),
  );
  return {
    plugin: freezeDeep({
      interfaceNames: () => names,
      setGateway: (ip: string) => guarded(() => config.setGateway(ip)),
      setGatewayIPv6: (ip: string) => guarded(() => config.setGatewayIPv6(ip)),
      addStaticRoute: (destination: string, routeType: number, nextHop?: string, interfaceID?: number) =>
        guarded(() => {
          counted();
          config.addStaticRoute(destination, routeType as 0 | 1, nextHop, interfaceID);
        }),
    }),
    recorded: () => config.toJSON(),
  };
}

/** Counts towards a limit of the host: beyond it, the host would refuse the whole reply, or it would not fit into a frame. */
function counter(most: number, whose: string, what: string): () => void {
  let count = 0;
  return () => {
    if (++count > most) throw new DriverError("ERR_DRIVER_REPLY", `${whose} may have ${most} ${what}`);
  };
}

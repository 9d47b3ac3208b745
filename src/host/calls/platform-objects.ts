/**
 * The platform's `EndpointInfo` and `JoinInfo`: the driver gets a snapshot, and what it recorded is applied to them
 * afterwards.
 */

import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import { EndpointConfig } from "../../driverapi/endpoint-config.js";
import { DriverError } from "../../driverapi/errors.js";
import { readInterface } from "../../driverapi/interfaces.js";
import { JoinConfig } from "../../driverapi/join-config.js";
import type { CallOptions, EndpointInfo, InterfaceData, JoinData, JoinInfo } from "../../driverapi/types.js";

/** Reads the interfaces that a platform passes. Throws the errors of the address rules. */
export function snapshotInterfaces(epInfo: unknown): readonly InterfaceData[] {
  if (
    typeof (epInfo as EndpointInfo | null)?.interfaces !== "function" ||
    typeof (epInfo as EndpointInfo).addInterface !== "function"
  ) {
    throw new DriverError(
      "ERR_BAD_OPTIONS",
      "createEndpoint: its third argument must be an EndpointInfo, such as new EndpointConfig()",
    );
  }
  // What the class itself has parsed need not be parsed again.
  if (Object.getPrototypeOf(epInfo) === EndpointConfig.prototype) return (epInfo as EndpointConfig).toJSON();
  return [...(epInfo as EndpointInfo).interfaces()].map((one) => readInterface(one));
}

/** Reads the interface ids that a platform's JoinInfo names; empty: those of the endpoint. */
export function snapshotJoin(jinfo: unknown): readonly number[] {
  if (
    typeof (jinfo as JoinInfo | null)?.interfaceNames !== "function" ||
    typeof (jinfo as JoinInfo).addStaticRoute !== "function"
  ) {
    throw new DriverError("ERR_BAD_OPTIONS", "join: its fourth argument must be a JoinInfo, such as new JoinConfig()");
  }
  return [...(jinfo as JoinInfo).interfaceNames()].map((one) => one.id());
}

/** Adds what the driver filled in. A platform's object may throw: the call is then rolled back. */
export function applyInterfaces(epInfo: EndpointInfo, added: readonly InterfaceData[]): void {
  for (const { id, mac, ipv4, ipv6 } of added) epInfo.addInterface(id, mac, ipv4, ipv6);
}

/** Sets names, gateways and routes in the same order as libnetwork's remote driver. */
export function applyJoin(jinfo: JoinInfo, ids: readonly number[], data: JoinData): void {
  if (jinfo instanceof JoinConfig) jinfo.bindInterfaces(ids);
  const names = new Map(jinfo.interfaceNames().map((one) => [one.id(), one]));
  for (const { id, srcName, dstPrefix } of data.names) names.get(id)?.setNames(srcName, dstPrefix);
  if (data.gateway !== "") jinfo.setGateway(data.gateway);
  if (data.gatewayIPv6 !== "") jinfo.setGatewayIPv6(data.gatewayIPv6);
  for (const { destination, routeType, nextHop, interfaceID } of data.staticRoutes)
    jinfo.addStaticRoute(destination, routeType, nextHop, interfaceID);
}

/** Options that a call's last argument may have. */
const CALL_OPTIONS = ["signal"] as const satisfies readonly (keyof CallOptions)[];

/**
 * Returns the caller's signal. Throws `ERR_BAD_OPTIONS` for any other value, which would throw later in a timer of the host,
 * outside every call; and for an unknown option, which would have no effect.
 */
export function signalOf(call: unknown): AbortSignal | undefined {
  if (call === undefined || call === null) return undefined;
  if (typeof call !== "object") throw wrongCall("it must be { signal? }");
  if (call instanceof AbortSignal) throw wrongCall("it must be { signal }, not the signal itself");
  for (const key of Object.keys(call)) {
    if (!(CALL_OPTIONS as readonly string[]).includes(key)) throw wrongCall(unknownOption(key));
  }
  const signal = "signal" in call ? call.signal : undefined;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw wrongCall("its signal must be an AbortSignal");
}

function unknownOption(key: string): string {
  const near = nearest(key, CALL_OPTIONS);
  const known =
    near === undefined
      ? `the only one is "signal"; for a deadline of your own, { signal: AbortSignal.timeout(ms) }`
      : `did you mean "${near}"?`;
  return `unknown option ${quote(key)}; ${known}`;
}

function wrongCall(what: string): DriverError {
  return new DriverError("ERR_BAD_OPTIONS", `a call's last argument: ${what}`);
}

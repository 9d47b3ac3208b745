/** What a platform needs of the contract. */
export {
  CONNECTED,
  DRIVER_METHODS,
  GlobalScope,
  LocalScope,
  NEXTHOP,
  NetworkPluginEndpointType,
  OPTIONAL_DRIVER_METHODS,
} from "./constants.js";
export { EndpointConfig } from "./endpoint-config.js";
export { ERROR_CODES } from "./error-codes.js";
export {
  DriverError,
  ERROR_STATUS,
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  isErrorCode,
  isErrorKind,
} from "./errors.js";
export type { InterfaceRecord } from "./interfaces.js";
export { type InterfaceNames, JoinConfig, type JoinInterface } from "./join-config.js";
export type { Json, JsonObject } from "./json.js";
export type {
  CallContext,
  CallOptions,
  Capability,
  Driver,
  DriverCallback,
  DriverMethod,
  EndpointInfo,
  HostedDriver,
  InterfaceData,
  InterfaceInfo,
  InterfaceNameInfo,
  InterfaceNamesData,
  JoinData,
  JoinInfo,
  OptionalDriverMethod,
  RouteType,
  Scope,
  StaticRouteData,
} from "./types.js";

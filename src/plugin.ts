/** What a plugin author imports as `bulkhead/plugin`. It carries no authority, and is bundled into the plugin that uses it. */
export { quote } from "./common/quote.js";
export { CONNECTED, GlobalScope, LocalScope, NEXTHOP } from "./driverapi/constants.js";
export { type DriverErrorCode, fail } from "./driverapi/fail.js";
export type { Json, JsonObject } from "./driverapi/json.js";
export type {
  CallContext,
  Capability,
  Driver,
  DriverCallback,
  EndpointInfo,
  InterfaceInfo,
  InterfaceNameInfo,
  JoinInfo,
  RouteType,
  Scope,
} from "./driverapi/types.js";
export type {
  FirewallRule,
  IsolateSpec,
  MasqueradeSpec,
  Protocol,
  PublishSpec,
} from "./permissions/firewall/rule.js";
export type { LinkInfo, LinkSettings, LinkSpec, RouteSpec } from "./permissions/netlink/link-spec.js";
export type {
  AllPowers,
  FirewallPower,
  LogPower,
  NetlinkPower,
  Powers,
  RandomPower,
  StorePower,
} from "./permissions/powers.js";

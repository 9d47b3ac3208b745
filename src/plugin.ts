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
export type { RefusedFlow } from "./permissions/firewall/refused-flow.js";
export type {
  AllowSpec,
  ConnectSpec,
  FirewallRule,
  IsolateSpec,
  MasqueradeSpec,
  Protocol,
  PublishSpec,
  ResolveSpec,
} from "./permissions/firewall/rule.js";
export type { FirstSettings, LinkInfo, LinkSettings, LinkSpec, RouteSpec } from "./permissions/netlink/link-spec.js";
export type { RemoteInfo, RemoteRoute, RemoteSpec } from "./permissions/netlink/remote-spec.js";
export type {
  AllPowers,
  ClusterEntry,
  ClusterEvent,
  ClusterHandler,
  ClusterPower,
  FirewallPower,
  KeptAnswer,
  LogPower,
  NameAnswer,
  NameQuery,
  NetlinkPower,
  Powers,
  QueryHandler,
  RandomPower,
  ResolverPower,
  ShapedLinkInfo,
  StorePower,
  TrafficPower,
} from "./permissions/powers.js";
export type { TrafficShape } from "./permissions/traffic/shape.js";

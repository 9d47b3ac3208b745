/** The seed's interfaces, in TypeScript. Types only; the sentences are the seed's. */
import type {
  CONNECTED,
  DRIVER_METHODS,
  GlobalScope,
  LocalScope,
  NEXTHOP,
  OPTIONAL_DRIVER_METHODS,
} from "./constants.js";
import type { JsonObject } from "./json.js";

/** Indicates the driver's scope capability. */
export type Scope = typeof LocalScope | typeof GlobalScope;

/** Represents the high level capabilities of the drivers which libnetwork can make use of. */
export interface Capability {
  readonly scope: Scope;
}

/** `NEXTHOP` (0) or `CONNECTED` (1). */
export type RouteType = typeof NEXTHOP | typeof CONNECTED;

/** The name of one of the nine `Driver` methods. */
export type DriverMethod = (typeof DRIVER_METHODS)[number];

/** The name of a `Driver` method beyond the seed's nine. */
export type OptionalDriverMethod = (typeof OPTIONAL_DRIVER_METHODS)[number];

/** Provides an interface for drivers to retrieve network information to interface resources. */
export interface InterfaceInfo {
  /** Returns the numerical id of the interface; it has significance only within the endpoint. */
  id(): number;
  /** Returns the MAC address, as `02:42:ac:11:00:02`; "" where there is none. */
  macAddress(): string;
  /** Returns the IPv4 address with its prefix length, as `10.1.0.2/24`; "" where there is none. */
  address(): string;
  /** Returns the IPv6 address with its prefix length, as `fd00::2/64`; "" where there is none. */
  addressIPv6(): string;
}

/** Provides an interface to fetch or populate endpoint assigned network resources. */
export interface EndpointInfo {
  /**
   * Returns a list of interfaces bound to the endpoint.
   * If the list is not empty the driver is only expected to consume the interfaces.
   * It is an error to try to add interfaces to a non-empty list.
   * If the list is empty the driver is expected to populate with 0 or more interfaces.
   */
  interfaces(): readonly InterfaceInfo[];
  /**
   * Is used by the driver to add an interface to the interface list.
   * It throws if the driver attempts to add interfaces where `interfaces()` was given as a non-empty list.
   * The id need only have significance within the endpoint, so it can be a simple monotonically increasing number.
   * `mac`, `ipv4` and `ipv6` as `InterfaceInfo` gives them; "" where there is none.
   */
  addInterface(id: number, mac: string, ipv4: string, ipv6: string): void;
}

/** Provides an interface for the drivers to assign names to interfaces. */
export interface InterfaceNameInfo {
  /** Returns the numerical id that was assigned to the interface by the driver in `createEndpoint`. */
  id(): number;
  /** Assigns the srcName (the link to move) and the dstPrefix (its name's beginning inside) for the interface. */
  setNames(srcName: string, dstPrefix: string): void;
}

/** Represents a set of resources that the driver has the ability to provide during join time. */
export interface JoinInfo {
  /** Returns a list of `InterfaceNameInfo` to facilitate setting the names for the interfaces. */
  interfaceNames(): readonly InterfaceNameInfo[];
  /** Sets the default IPv4 gateway when a container joins the endpoint; "" sets none. */
  setGateway(ip: string): void;
  /** Sets the default IPv6 gateway when a container joins the endpoint; "" sets none. */
  setGatewayIPv6(ip: string): void;
  /**
   * Adds a route to the sandbox. It may be used in addition to or instead of a default gateway (as above).
   * A CONNECTED route names an interface and no next hop (""); a NEXTHOP route names a next hop.
   */
  addStaticRoute(destination: string, routeType: RouteType, nextHop: string, interfaceID: number): void;
}

/** What a driver learns about a call besides its arguments. */
export interface CallContext {
  /** Aborted when the caller gave up or the deadline passed. */
  readonly signal: AbortSignal;
  /** True when the host repeats what this driver had accepted before its worker was restarted. */
  readonly replay: boolean;
}

/** The interface that every plugin driver needs to implement, as a plugin's author writes it. */
export interface Driver {
  /** Push driver specific config to the driver. */
  config(options: JsonObject): void | Promise<void>;
  /** Is invoked to create a network, passing the network id and network specific config. */
  createNetwork(nid: string, options: JsonObject, ctx: CallContext): void | Promise<void>;
  /** Is invoked to delete a network, passing the network id. */
  deleteNetwork(nid: string, ctx: CallContext): void | Promise<void>;
  /**
   * Is invoked to create an endpoint, passing the network id, endpoint id, endpoint information and driver specific
   * config. The endpoint information can be either consumed by the driver or populated by the driver.
   */
  createEndpoint(
    nid: string,
    eid: string,
    epInfo: EndpointInfo,
    options: JsonObject,
    ctx: CallContext,
  ): void | Promise<void>;
  /** Is invoked to delete an endpoint, passing the network id and endpoint id. */
  deleteEndpoint(nid: string, eid: string, ctx: CallContext): void | Promise<void>;
  /** Retrieves from the driver the operational data related to the specified endpoint. */
  endpointOperInfo(nid: string, eid: string, ctx: CallContext): JsonObject | Promise<JsonObject>;
  /** Is invoked when a sandbox is attached to an endpoint. */
  join(
    nid: string,
    eid: string,
    sboxKey: string,
    jinfo: JoinInfo,
    options: JsonObject,
    ctx: CallContext,
  ): void | Promise<void>;
  /** Is invoked when a sandbox detaches from an endpoint. */
  leave(nid: string, eid: string, ctx: CallContext): void | Promise<void>;
  /** Returns the type of this driver, the network type this driver manages. */
  type(): string | Promise<string>;
  /**
   * Invokes the driver method which does the necessary programming to allow the external connectivity dictated by the
   * passed options. From libnetwork's later `driverapi`: optional, together with `revokeExternalConnectivity`.
   * `options` carry `com.docker.network.portmap` and `com.docker.network.endpoint.exposedports`. Programming again
   * replaces what was programmed; when it throws, what was programmed before still holds.
   */
  programExternalConnectivity?(nid: string, eid: string, options: JsonObject, ctx: CallContext): void | Promise<void>;
  /**
   * Asks the driver to remove any external connectivity programming that was done for the endpoint. From libnetwork's
   * later `driverapi`. It succeeds where nothing is programmed.
   */
  revokeExternalConnectivity?(nid: string, eid: string, ctx: CallContext): void | Promise<void>;
}

/** The last argument of a platform's call. An unknown option is refused (`ERR_BAD_OPTIONS`). */
export interface CallOptions {
  /** Aborted: the call rejects with `ERR_CALL_ABORTED`, whose `cause` is `signal.reason`. Any number of calls may share one. */
  readonly signal?: AbortSignal | undefined;
}

/** A driver as the platform sees it: the same methods, over a plugin that may be slow, restarted or gone. */
export interface HostedDriver {
  /** Push driver specific config to the driver. `options` default to `{}`. */
  config(options?: JsonObject, call?: CallOptions): Promise<void>;
  /** Creates a network, passing the network id and network specific config. `options` default to `{}`. */
  createNetwork(nid: string, options?: JsonObject, call?: CallOptions): Promise<void>;
  /** Deletes a network. */
  deleteNetwork(nid: string, call?: CallOptions): Promise<void>;
  /** Creates an endpoint. `epInfo` is consumed or populated; nothing is written to it when the call fails. */
  createEndpoint(
    nid: string,
    eid: string,
    epInfo: EndpointInfo,
    options?: JsonObject,
    call?: CallOptions,
  ): Promise<void>;
  /** Deletes an endpoint. */
  deleteEndpoint(nid: string, eid: string, call?: CallOptions): Promise<void>;
  /** Retrieves from the driver the operational data related to the specified endpoint. */
  endpointOperInfo(nid: string, eid: string, call?: CallOptions): Promise<JsonObject>;
  /** Attaches a sandbox to an endpoint. `jinfo` is filled in. */
  join(
    nid: string,
    eid: string,
    sboxKey: string,
    jinfo: JoinInfo,
    options?: JsonObject,
    call?: CallOptions,
  ): Promise<void>;
  /** Detaches a sandbox from an endpoint. */
  leave(nid: string, eid: string, call?: CallOptions): Promise<void>;
  /** The network type, answered without asking the plugin. */
  type(): string;
  /**
   * Programs the external connectivity of an endpoint, such as its published ports; again replaces it. From libnetwork's
   * later `driverapi`; for a driver without the method it resolves at once. `options` default to `{}`.
   */
  programExternalConnectivity(nid: string, eid: string, options?: JsonObject, call?: CallOptions): Promise<void>;
  /** Removes what `programExternalConnectivity` did. Resolves where nothing is programmed. */
  revokeExternalConnectivity(nid: string, eid: string, call?: CallOptions): Promise<void>;
}

/**
 * Provides a callback interface for drivers into libnetwork.
 * `D` is `Driver` in a plugin, `HostedDriver` in a platform.
 */
export interface DriverCallback<D = Driver> {
  /** Provides a way for remote drivers to dynamically register a new network type and associate it with a driver. */
  registerDriver(name: string, driver: D, capability: Capability): void | Promise<void>;
}

/** An interface on the wire and in the journal; addresses in canonical text, or "". */
export interface InterfaceData {
  readonly id: number;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The names a driver set for one interface. */
export interface InterfaceNamesData {
  readonly id: number;
  readonly srcName: string;
  readonly dstPrefix: string;
}

/** A static route; `destination` in CIDR, `nextHop` "" for a CONNECTED one. */
export interface StaticRouteData {
  readonly destination: string;
  readonly routeType: RouteType;
  readonly nextHop: string;
  readonly interfaceID: number;
}

/** What a driver recorded in one join. `names` holds only the interfaces whose names were set; gateways may be "". */
export interface JoinData {
  readonly names: readonly InterfaceNamesData[];
  readonly gateway: string;
  readonly gatewayIPv6: string;
  readonly staticRoutes: readonly StaticRouteData[];
}

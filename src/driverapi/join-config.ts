/** The ready-made `JoinInfo`. */
import { parseIP } from "./addresses.js";
import { readInterfaceId, readList, refuseTaken } from "./interfaces.js";
import { parseNames, parseRoute } from "./joins.js";
import type {
  EndpointInfo,
  InterfaceNameInfo,
  InterfaceNamesData,
  JoinData,
  JoinInfo,
  RouteType,
  StaticRouteData,
} from "./types.js";

/** An `InterfaceNameInfo` whose names can be read back; "" until they are set. */
export interface InterfaceNames extends InterfaceNameInfo {
  srcName(): string;
  dstPrefix(): string;
}

/** An interface of a join: its id, `{ id }`, or an object with `id()`. */
export type JoinInterface = number | { readonly id: number | (() => number) };

/**
 * What a driver sets when a sandbox joins an endpoint.
 *
 *     const endpoint = new EndpointConfig();
 *     new JoinConfig(endpoint)      // follows the endpoint: interfaces added to it later are there too
 *     new JoinConfig([0, 1])        // these interfaces
 *     new JoinConfig()              // open: the host fills in the endpoint's interfaces
 */
export class JoinConfig implements JoinInfo {
  /** The followed endpoint, whose interfaces are read again each time, since they can be added later. */
  readonly #endpoint: EndpointInfo | undefined;
  #open: boolean;
  readonly #handles = new Map<number, InterfaceNames>();
  readonly #names = new Map<number, InterfaceNamesData>();
  #list: readonly InterfaceNames[] | undefined;
  #gateway = "";
  #gatewayIPv6 = "";
  readonly #routes: StaticRouteData[] = [];
  #routeList: readonly StaticRouteData[] | undefined;

  /** Throws `ERR_INTERFACE_ID`, `ERR_INTERFACE_EXISTS`. */
  constructor(interfaces?: EndpointInfo | Iterable<JoinInterface>) {
    this.#open = interfaces === undefined;
    if (interfaces === undefined) return;
    if (isEndpointInfo(interfaces)) this.#endpoint = interfaces;
    else this.#bind(interfaces);
  }

  /**
   * Called by the host with the ids of the endpoint's interfaces. Fills in a JoinConfig that was built without any, once, and returns
   * true; otherwise does nothing and returns false.
   * Throws `ERR_INTERFACE_ID`, `ERR_INTERFACE_EXISTS`.
   */
  bindInterfaces(ids: Iterable<number>): boolean {
    if (!this.#open) return false;
    this.#bind(ids);
    this.#open = false;
    return true;
  }

  /** The join's interfaces, in the endpoint's order; a frozen list of frozen objects. */
  interfaceNames(): readonly InterfaceNames[] {
    this.#follow();
    this.#list ??= Object.freeze([...this.#handles.values()]);
    return this.#list;
  }

  /**
   * Sets the default IPv4 gateway; "" removes it, as a nil IP does in libnetwork.
   * Throws `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`.
   */
  setGateway(ip: string | null | undefined): void {
    this.#gateway = parseIP(ip ?? "", 4);
  }

  /** Sets the default IPv6 gateway; "" removes it. Throws `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`. */
  setGatewayIPv6(ip: string | null | undefined): void {
    this.#gatewayIPv6 = parseIP(ip ?? "", 6);
  }

  /** Adds a static route. Throws as `parseRoute` says. */
  addStaticRoute(
    destination: string,
    routeType: RouteType,
    nextHop?: string | null | undefined,
    interfaceID?: number | null | undefined,
  ): void {
    this.#follow();
    this.#routes.push(Object.freeze(parseRoute(destination, routeType, nextHop, interfaceID, this.#handles)));
    this.#routeList = undefined;
  }

  /** The default IPv4 gateway; "" for none. */
  gateway(): string {
    return this.#gateway;
  }

  /** The default IPv6 gateway; "" for none. */
  gatewayIPv6(): string {
    return this.#gatewayIPv6;
  }

  /** The static routes, in the order they were added; frozen. */
  staticRoutes(): readonly StaticRouteData[] {
    this.#routeList ??= Object.freeze([...this.#routes]);
    return this.#routeList;
  }

  /** All that was set, as plain data. Interfaces without names are left out. */
  toJSON(): JoinData {
    const names: InterfaceNamesData[] = [];
    for (const id of this.#handles.keys()) {
      const set = this.#names.get(id);
      if (set !== undefined) names.push({ ...set });
    }
    const staticRoutes = this.#routes.map((route) => ({ ...route }));
    return { names, gateway: this.#gateway, gatewayIPv6: this.#gatewayIPv6, staticRoutes };
  }

  #follow(): void {
    if (this.#endpoint === undefined) return;
    for (const each of this.#endpoint.interfaces()) {
      const id = readInterfaceId(each);
      if (!this.#handles.has(id)) this.#addHandle(id);
    }
  }

  /** Sets both names or neither. */
  #bind(interfaces: Iterable<JoinInterface>): void {
    const ids = new Set<number>();
    for (const each of readList(interfaces)) {
      const id = readInterfaceId(each);
      refuseTaken(id, ids);
      ids.add(id);
    }
    for (const id of ids) this.#addHandle(id);
  }

  #addHandle(id: number): void {
    const names = this.#names;
    const handle: InterfaceNames = {
      id: () => id,
      setNames: (srcName, dstPrefix) => {
        names.set(id, parseNames(id, srcName, dstPrefix));
      },
      srcName: () => names.get(id)?.srcName ?? "",
      dstPrefix: () => names.get(id)?.dstPrefix ?? "",
    };
    this.#handles.set(id, Object.freeze(handle));
    this.#list = undefined;
  }
}

function isEndpointInfo(given: EndpointInfo | Iterable<JoinInterface>): given is EndpointInfo {
  return typeof given === "object" && given !== null && "interfaces" in given && typeof given.interfaces === "function";
}

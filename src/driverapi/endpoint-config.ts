/** The ready-made `EndpointInfo`. */
import { DriverError } from "./errors.js";
import { type InterfaceRecord, parseInterface, readInterface, readList, refuseTaken } from "./interfaces.js";
import type { EndpointInfo, InterfaceData, InterfaceInfo } from "./types.js";

const NONE: readonly InterfaceInfo[] = Object.freeze([]);

/**
 * The interfaces of one endpoint: given by the platform, or left to the driver.
 *
 *     new EndpointConfig()                                        // the driver fills it in
 *     new EndpointConfig([{ id: 0, ipv4: "10.1.0.2/24" }])        // the driver only consumes
 */
export class EndpointConfig implements EndpointInfo {
  readonly #given: boolean;
  readonly #byId = new Map<number, InterfaceData>();
  #list: readonly InterfaceInfo[] | undefined;

  /**
   * `given`: the interfaces, as objects with `id()`, `macAddress()`, `address()`, `addressIPv6()` or as records
   * `{ id, mac?, ipv4?, ipv6? }`. Absent or empty: the driver may add interfaces freely.
   * Throws `ERR_INTERFACE_ID`, `ERR_INTERFACE_EXISTS`, `ERR_BAD_MAC`, `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`.
   */
  constructor(given: Iterable<InterfaceInfo | InterfaceRecord> = []) {
    for (const each of readList(given)) this.#add(readInterface(each));
    this.#given = this.#byId.size > 0;
  }

  /** The interfaces, in the order of their addition; a frozen list of frozen objects. */
  interfaces(): readonly InterfaceInfo[] {
    this.#list ??= this.#byId.size === 0 ? NONE : Object.freeze(Array.from(this.#byId.values(), interfaceInfo));
    return this.#list;
  }

  /**
   * Adds an interface. `mac`, `ipv4` (CIDR) and `ipv6` (CIDR) may each be "" for none.
   * Throws `ERR_INTERFACES_GIVEN` if the list was given (the seed: "It is an error to try to add interfaces to a
   * non-empty list"), and as the constructor does.
   */
  addInterface(
    id: number,
    mac?: string | null | undefined,
    ipv4?: string | null | undefined,
    ipv6?: string | null | undefined,
  ): void {
    if (this.#given) {
      const text = "the endpoint's interfaces were given: use those of interfaces(), and add none";
      throw new DriverError("ERR_INTERFACES_GIVEN", text);
    }
    this.#add(parseInterface(id, mac, ipv4, ipv6));
    this.#list = undefined;
  }

  /** The interfaces as plain data. */
  toJSON(): InterfaceData[] {
    return Array.from(this.#byId.values(), (data) => ({ ...data }));
  }

  #add(data: InterfaceData): void {
    refuseTaken(data.id, this.#byId);
    this.#byId.set(data.id, data);
  }
}

/** Closures instead of a class: in a worker the driver gets these, and must not reach a prototype of ours. */
function interfaceInfo({ id, mac, ipv4, ipv6 }: InterfaceData): InterfaceInfo {
  return Object.freeze({ id: () => id, macAddress: () => mac, address: () => ipv4, addressIPv6: () => ipv6 });
}

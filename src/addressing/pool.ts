/** The addresses of one subnet, and which of them are taken. */
import { fail } from "../driverapi/fail.js";
import { formatAddress, formatCIDR, parseAddress, parseCIDR } from "./address.js";
import { isHost, type Subnet } from "./subnet.js";

/** Hands out the addresses of a subnet, each to one owner at a time. The gateway's is never handed out. */
export class Pool {
  readonly subnet: Subnet;
  readonly #taken: Set<bigint>;
  /** Every address below it is taken. */
  #lowest: bigint;

  constructor(subnet: Subnet) {
    this.subnet = subnet;
    this.#taken = new Set([subnet.gateway]);
    this.#lowest = subnet.bits + 1n;
  }

  /** The gateway without a prefix length: `10.64.0.1`. */
  get gateway(): string {
    return formatAddress({ family: this.subnet.family, bits: this.subnet.gateway });
  }

  /** The gateway in CIDR form: `10.64.0.1/24`. */
  get gatewayCIDR(): string {
    return `${this.gateway}/${this.subnet.prefix}`;
  }

  /** Takes the lowest free address and returns it in CIDR form. Throws Forbidden if none is free. */
  take(): string {
    const { family, prefix, text } = this.subnet;
    while (this.#taken.has(this.#lowest)) this.#lowest++;
    const free = { family, bits: this.#lowest, prefix };
    if (!isHost(this.subnet, free)) fail("Forbidden", `no free address is left in subnet ${text}`);
    this.#taken.add(free.bits);
    return formatCIDR(free);
  }

  /**
   * Takes the address given, in CIDR form with any prefix length: an endpoint's, or one that must not be handed out.
   * Throws BadRequest if the subnet does not have it, Forbidden if it is taken.
   */
  keep(cidr: string): void {
    const address = parseCIDR(cidr) ?? fail("BadRequest", `${cidr} is not an address with a prefix length`);
    const { bits } = address;
    if (!isHost(this.subnet, address)) fail("BadRequest", `address ${cidr} is not in subnet ${this.subnet.text}`);
    if (bits === this.subnet.gateway) fail("Forbidden", `address ${cidr} is the gateway's`);
    if (this.#taken.has(bits)) fail("Forbidden", `address ${cidr} is another endpoint's`);
    this.#taken.add(bits);
  }

  /** Returns true for an address, without a prefix length, that is taken. */
  has(ip: string): boolean {
    const address = parseAddress(ip);
    return address?.family === this.subnet.family && this.#taken.has(address.bits);
  }

  /** Frees an address in CIDR form. Ignores one that is not taken, and the gateway's. */
  free(cidr: string): void {
    const address = parseCIDR(cidr);
    if (address?.family !== this.subnet.family || address.bits === this.subnet.gateway) return;
    if (this.#taken.delete(address.bits) && address.bits < this.#lowest) this.#lowest = address.bits;
  }
}

/** The addresses of one subnet: who has which. */
import { formatAddress, parseAddress, parseCIDR } from "./addresses.ts";
import { badRequest, forbidden } from "./errors.ts";
import { isHost, type Subnet } from "./subnets.ts";

export class Pool {
  readonly subnet: Subnet;
  readonly #taken: Set<bigint>;
  /** No address below it is free. */
  #lowest: bigint;

  constructor(subnet: Subnet) {
    this.subnet = subnet;
    this.#taken = new Set([subnet.gateway]);
    this.#lowest = subnet.base + 1n;
  }

  /** The gateway without prefix length, `10.64.0.1`. */
  get gateway(): string {
    return formatAddress({ family: this.subnet.family, bits: this.subnet.gateway });
  }

  /** The gateway in CIDR form, `10.64.0.1/24`. */
  get gatewayCIDR(): string {
    return `${this.gateway}/${this.subnet.prefix}`;
  }

  /** The lowest free address, in CIDR form. Throws Forbidden when there is none. */
  take(): string {
    while (this.#taken.has(this.#lowest)) this.#lowest++;
    if (!isHost(this.subnet, this.#lowest)) forbidden(`no free address is left in subnet ${this.subnet.text}`);
    this.#taken.add(this.#lowest);
    return `${formatAddress({ family: this.subnet.family, bits: this.#lowest })}/${this.subnet.prefix}`;
  }

  /** Takes an address that was given. Throws BadRequest for one outside the subnet, Forbidden for one that is taken. */
  keep(cidr: string): void {
    const { family, bits } = parseCIDR(cidr) ?? badRequest(`${cidr} is not an address`);
    const { subnet } = this;
    if (family !== subnet.family || !isHost(subnet, bits))
      badRequest(`address ${cidr} is none of subnet ${subnet.text}`);
    if (bits === subnet.gateway) forbidden(`address ${cidr} is the gateway's`);
    if (this.#taken.has(bits)) forbidden(`address ${cidr} is another endpoint's`);
    this.#taken.add(bits);
  }

  /** True for an address, without prefix length, that somebody has. */
  has(ip: string): boolean {
    const address = parseAddress(ip);
    return address?.family === this.subnet.family && this.#taken.has(address.bits);
  }

  free(cidr: string): void {
    const bits = parseCIDR(cidr)?.bits;
    if (bits === undefined || bits === this.subnet.gateway || !this.#taken.delete(bits)) return;
    if (bits < this.#lowest) this.#lowest = bits;
  }
}

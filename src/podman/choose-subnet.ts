/**
 * Chooses subnets for a network without any: Podman allocates addresses from subnets, but chooses none for a plugin's network. They lie
 * within the plugin's grant and do not overlap subnets in use.
 */
import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import { DriverError } from "../driverapi/errors.js";
import { narrower, networkOf, overlaps } from "../permissions/netlink/cidr.js";
import { PODMAN } from "./limits.js";

type Family = 4 | 6;

/** The part of Podman's default pools that it hands out last, and IPv6's unique local addresses. */
const PREFERRED: Readonly<Record<Family, string>> = { 4: "10.96.0.0/11", 6: "fd00::/8" };

export interface SubnetChoice {
  /** The network's id, from which the choice is derived. */
  readonly id: string;
  /** The subnets that the plugin is granted. */
  readonly granted: readonly string[];
  /** Subnets in use, in CIDR form. */
  readonly used: readonly string[];
}

/** Returns a subnet of a family. Throws `ERR_CONTROL_REQUEST` if there is none. */
export function chooseSubnet(family: Family, { id, granted, used }: SubnetChoice): string {
  const taken = used.map(networkOf);
  for (const range of ranges(family, granted)) {
    for (let at = 0; at < PODMAN.subnetTries; at++) {
      const subnet = nth(range, family, createHash("sha256").update(`${id} ${at}`).digest());
      if (!taken.some((one) => overlaps(one, networkOf(subnet)))) return subnet;
    }
  }
  throw new DriverError(
    "ERR_CONTROL_REQUEST",
    `no IPv${family} subnet is free for the network within ${granted.join(", ")}: name one with --subnet`,
  );
}

/** Returns where to look, best first. */
function ranges(family: Family, granted: readonly string[]): readonly string[] {
  const own = granted.filter((one) => one.includes(":") === (family === 6) && fits(one, family));
  return [...narrower([PREFERRED[family]], own), ...own];
}

function fits(range: string, family: Family): boolean {
  return Number(range.split("/")[1]) <= PODMAN.subnetBits[family];
}

/** Returns a subnet of a range, by random bits. */
function nth(range: string, family: Family, random: Buffer): string {
  const [base = "", length = ""] = range.split("/");
  const bytes = ipaddr.parse(base).toByteArray();
  const bits = PODMAN.subnetBits[family];
  for (let bit = Number(length); bit < bits; bit++) {
    const [byte, mask] = [bit >> 3, 0x80 >> (bit & 7)];
    const one = ((random[byte] ?? 0) & mask) !== 0;
    bytes[byte] = one ? (bytes[byte] ?? 0) | mask : (bytes[byte] ?? 0) & ~mask;
  }
  return `${ipaddr.fromByteArray(bytes).toString()}/${bits}`;
}

/** A network's subnets: the options', or one of each family; private ones only. */
import { fail, type JsonObject } from "bulkhead/plugin";
import { parseSubnet, readSubnets, type Subnet } from "bulkhead/plugin/addressing";
import ipaddr from "ipaddr.js";

const DEFAULTS = ["10.98.0.0/24", "fd98::/64"];

/** ipaddr.js's names of the ranges that RFC 1918 and RFC 4193 set aside for private networks. */
const PRIVATE: readonly string[] = ["private", "uniqueLocal"];

export function privateSubnets(options: JsonObject): readonly Subnet[] {
  const given = readSubnets(options);
  for (const { text } of given) {
    const [address] = ipaddr.parseCIDR(text);
    if (!PRIVATE.includes(address.range())) fail("BadRequest", `subnet ${text} is not private`);
  }
  return given.length > 0 ? given : DEFAULTS.map((text) => parseSubnet(text));
}

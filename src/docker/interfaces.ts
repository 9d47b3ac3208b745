/**
 * The interface of an endpoint, between Docker's wire and the driver: what the engine gives goes to the driver as a given list,
 * and only what came in empty is ever answered, for an engine refuses the return even of its own words.
 */
import ipaddr from "ipaddr.js";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { EndpointRequest, InterfaceReply } from "./wire.js";

/** An endpoint's interfaces as the engine gave them, with a MAC address where it gave an address alone. */
export function givenInterfaces({ Interface, Interfaces }: EndpointRequest): EndpointConfig {
  const one = Interface ? [{ ID: 0, ...Interface }] : [];
  const given = [...one, ...(Interfaces ?? [])].filter(
    ({ Address, AddressIPv6, MacAddress }) => Address !== "" || AddressIPv6 !== "" || MacAddress !== "",
  );
  return new EndpointConfig(
    given.map(({ ID, Address, AddressIPv6, MacAddress }) => ({
      id: ID,
      mac: MacAddress === "" ? macOf(Address || AddressIPv6) : MacAddress,
      ipv4: Address,
      ipv6: AddressIPv6,
    })),
  );
}

/** The response to CreateEndpoint: what the endpoint has now and the engine did not say, in the form it asked in. */
export function interfacesReply(request: EndpointRequest, now: readonly InterfaceData[]): object {
  const asked = request.Interface ? [{ ID: 0, ...request.Interface }] : (request.Interfaces ?? []);
  const news = now.map(({ id, mac, ipv4, ipv6 }) => {
    const had = asked.find(({ ID }) => ID === id);
    return {
      ID: id,
      ...(ipv4 !== "" && !had?.Address ? { Address: ipv4 } : {}),
      ...(ipv6 !== "" && !had?.AddressIPv6 ? { AddressIPv6: ipv6 } : {}),
      ...(mac !== "" && !had?.MacAddress ? { MacAddress: mac } : {}),
    };
  });
  if (request.Interfaces) return { Interfaces: news };
  const [{ ID: _, ...first } = { ID: 0 }] = news as readonly ({ readonly ID: number } & InterfaceReply)[];
  return Object.keys(first).length === 0 ? {} : { Interface: first };
}

/** As Docker's own bridge has it: `02:42` and the IPv4 address; of an IPv6 address its last four bytes. "" for no address. */
function macOf(cidr: string): string {
  if (cidr === "") return "";
  const [plain = ""] = cidr.split("/", 1);
  // What is not an address is the EndpointConfig's to refuse, in its own words.
  if (!ipaddr.isValid(plain)) return "";
  const bytes = ipaddr.parse(plain).toByteArray().slice(-4);
  return ["02", "42", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

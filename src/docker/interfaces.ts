/**
 * Translates an endpoint's interface between Docker's wire and the driver. The reply holds only fields that the request left
 * empty: an engine rejects all others, even with its own values.
 */
import ipaddr from "ipaddr.js";
import { isIPv4 } from "../driverapi/addresses.js";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import type { InterfaceData } from "../driverapi/types.js";
import type { EndpointRequest, InterfaceReply } from "./wire.js";

/** Reads the interfaces that the engine gave, and adds a MAC address where it gave only an address. */
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

/** Creates the reply to CreateEndpoint, in the form of the request: the fields that the request left empty. */
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

/** Returns a MAC address as Docker's bridge does: `02:42` and the last four bytes of the address; "" for no address. */
function macOf(cidr: string): string {
  if (cidr === "") return "";
  const [plain = ""] = cidr.split("/", 1);
  const bytes = isIPv4(plain) ? plain.split(".").map(Number) : lastBytes(plain);
  if (bytes.length === 0) return "";
  return ["02", "42", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** Returns the last four bytes of an address; none for an invalid one, which EndpointConfig rejects. */
function lastBytes(plain: string): readonly number[] {
  return ipaddr.isValid(plain) ? ipaddr.parse(plain).toByteArray().slice(-4) : [];
}

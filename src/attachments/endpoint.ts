/** The endpoint of an attachment: created with the addresses that were asked for, joined, and removed. */
import ipaddr from "ipaddr.js";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import { DriverError } from "../driverapi/errors.js";
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject } from "../driverapi/json.js";
import type { HostedDriver, InterfaceData, JoinData } from "../driverapi/types.js";
import type { TypeView } from "../host/type-view.js";
import type { PortSpec } from "./attachment.js";
import { ATTACHMENTS } from "./limits.js";

/** A network type in service. */
export interface ServedType {
  readonly driver: HostedDriver;
  readonly view: TypeView;
}

export interface EndpointIds {
  readonly nid: string;
  readonly eid: string;
}

/** What an endpoint is to have. */
export interface EndpointWishes {
  /** With a prefix length or without. */
  readonly addresses: readonly string[];
  /** True: none comes from the driver's pool. */
  readonly allAddresses: boolean;
  /** "": the driver's choice. */
  readonly mac: string;
  readonly options: JsonObject;
}

const PORT_MAP = "com.docker.network.portmap";
const EXPOSED = "com.docker.network.endpoint.exposedports";
const NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const;

/** Returns the options that name ports, in the form of a Docker engine. */
export function portOptions(ports: readonly PortSpec[]): JsonObject {
  if (ports.length === 0) return {};
  return {
    [EXPOSED]: ports.map(({ protocol, containerPort }) => ({ Proto: NUMBERS[protocol], Port: containerPort })),
    [PORT_MAP]: ports.map(({ protocol, containerPort, hostIP, hostPort }) => ({
      ...{ Proto: NUMBERS[protocol], IP: "", Port: containerPort, HostIP: hostIP },
      ...{ HostPort: hostPort, HostPortEnd: hostPort },
    })),
  };
}

/**
 * Creates an endpoint. In the driver contract, an interface is given whole or not at all: for one that is given in part, the driver first
 * chooses the rest, and the endpoint is then created again with both.
 */
export async function createEndpoint(
  { driver }: ServedType,
  { nid, eid }: EndpointIds,
  { addresses, allAddresses, mac, options }: EndpointWishes,
): Promise<readonly InterfaceData[]> {
  const create = async (given: readonly InterfaceRecord[]): Promise<readonly InterfaceData[]> => {
    const info = new EndpointConfig(given);
    await driver.createEndpoint(nid, eid, info, options);
    return info.toJSON();
  };
  if (addresses.length === 0 && mac === "") return create([]);
  if (allAddresses) return create([completed({ id: 0, mac: "", ipv4: "", ipv6: "" }, addresses, mac)]);
  for (let tries = 1; ; tries++) {
    const [chosen, another] = await create([]);
    const wanted = chosen && completed(chosen, addresses, mac);
    if (wanted && isSame(chosen, wanted)) return [chosen];
    await deleteEndpoint(driver, { nid, eid });
    if (!wanted || another)
      throw new DriverError(
        "ERR_BAD_ADDRESS",
        "an address or a MAC address was asked for, but the driver does not give endpoints one interface each; leave it out",
      );
    try {
      return await create([wanted]);
    } catch (error) {
      // Another container may have taken an address that the driver had chosen.
      const again = error instanceof DriverError && error.kind === "Forbidden" && tries < ATTACHMENTS.addressTries;
      if (!again || addresses.length === families(chosen)) throw error;
    }
  }
}

function families({ ipv4, ipv6 }: InterfaceData): number {
  return [ipv4, ipv6].filter((one) => one !== "").length;
}

/** Returns the interface with what was asked for in place of the driver's choice. */
function completed(chosen: InterfaceData, addresses: readonly string[], mac: string): InterfaceData {
  const of = (six: boolean): string | undefined => addresses.find((one) => one.includes(":") === six);
  return {
    id: chosen.id,
    mac: mac === "" ? movedMac(chosen, of(false) ?? of(true)) : mac.toLowerCase(),
    ipv4: withPrefix(of(false), chosen.ipv4, 4),
    ipv6: withPrefix(of(true), chosen.ipv6, 6),
  };
}

/** Returns the chosen MAC; if it is derived from the chosen IPv4 address, derives it from the wanted address instead. */
function movedMac({ mac, ipv4 }: InterfaceData, address: string | undefined): string {
  return address !== undefined && mac === macOf(ipv4) ? macOf(address) : mac;
}

/** Returns libnetwork's MAC of an address: `02:42` and its last four bytes; "" for none. */
function macOf(cidr: string): string {
  const [plain = ""] = cidr.split("/", 1);
  if (!ipaddr.isValid(plain)) return "";
  const bytes = ipaddr.parse(plain).toByteArray().slice(-4);
  return ["02", "42", ...bytes.map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

function withPrefix(wanted: string | undefined, chosen: string, family: 4 | 6): string {
  if (wanted === undefined) return chosen;
  const [plain = "", prefix = chosen.split("/", 2)[1]] = wanted.split("/", 2);
  const isRight = family === 4 ? ipaddr.IPv4.isValidFourPartDecimal(plain) : ipaddr.IPv6.isValid(plain);
  if (!isRight || plain.includes("%"))
    throw new DriverError("ERR_BAD_ADDRESS", `"${wanted}" is not an IPv${family} address`);
  if (prefix === undefined)
    throw new DriverError(
      "ERR_BAD_ADDRESS",
      `${wanted} was asked for, but the network has no IPv${family} subnet; leave it out, or add a subnet`,
    );
  return `${ipaddr.parse(plain).toString()}/${prefix}`;
}

function isSame(one: InterfaceData, other: InterfaceData): boolean {
  return one.mac === other.mac && one.ipv4 === other.ipv4 && one.ipv6 === other.ipv6;
}

/** Joins the endpoint to the namespace at `netns`. */
export async function joinEndpoint(
  { driver }: ServedType,
  { nid, eid }: EndpointIds,
  netns: string,
  interfaces: readonly InterfaceData[],
  options: JsonObject,
): Promise<JoinData> {
  const info = new JoinConfig(new EndpointConfig(interfaces));
  await driver.join(nid, eid, netns, info, options);
  return info.toJSON();
}

/** Revokes, leaves and deletes what there is of an endpoint, with its links, in a namespace too. */
export async function removeEndpoint({ driver, view }: ServedType, { nid, eid }: EndpointIds): Promise<void> {
  const known = view.network(nid)?.endpoints.get(eid);
  if (!known) return;
  if (known.external) await whenFree(() => ignoreMissing(driver.revokeExternalConnectivity(nid, eid)));
  if (known.join) await whenFree(() => ignoreMissing(driver.leave(nid, eid)));
  await view.returned();
  await deleteEndpoint(driver, { nid, eid });
}

function deleteEndpoint(driver: HostedDriver, { nid, eid }: EndpointIds): Promise<void> {
  return whenFree(() => ignoreMissing(driver.deleteEndpoint(nid, eid)));
}

/** Repeats a call, up to a deadline, while another call on the same endpoint blocks it. */
async function whenFree(call: () => Promise<void>): Promise<void> {
  const until = performance.now() + ATTACHMENTS.busyMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof DriverError && error.code === "ERR_DRIVER_BUSY") || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, ATTACHMENTS.busyRetryMs));
    }
  }
}

/** Counts a delete of something missing as a success. */
export async function ignoreMissing(deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!(error instanceof DriverError && (error.kind === "NotFound" || error.code === "ERR_ENDPOINT_NOT_JOINED")))
      throw error;
  }
}

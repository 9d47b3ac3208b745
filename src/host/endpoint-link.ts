/** Finds the link on the machine by which an endpoint's traffic passes. */
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import type { NetlinkHub } from "../permissions/netlink/hub.js";
import { refused } from "../permissions/traffic/errors.js";
import type { NetworkRecord } from "./calls/record.js";

/** An endpoint's link, and the plugin whose it is. */
export interface EndpointLink {
  readonly plugin: string;
  readonly link: string;
}

/** A recorded network, and whose it is. */
interface RecordedNetwork {
  readonly plugin: string;
  readonly record: NetworkRecord;
}

/** Throws `ERR_ENDPOINT_NOT_FOUND`; `ERR_TRAFFIC_REFUSED` for an endpoint that is not joined, or whose only link is in its sandbox. */
export function endpointLink(eid: string, networks: readonly RecordedNetwork[], netlink: NetlinkHub): EndpointLink {
  const found = networks.flatMap(({ plugin, record }) => {
    const one = record.endpoints.get(eid);
    return one ? [{ plugin, one }] : [];
  });
  const [first, ...others] = found;
  if (first === undefined) throw new DriverError("ERR_ENDPOINT_NOT_FOUND", `the host has no endpoint ${quote(eid)}`);
  const { plugin, one } = first;
  const wrong = (why: string): DriverError => refused(plugin, "shape", "sandbox", `endpoint ${quote(eid)} ${why}`);
  if (others.length > 0) throw wrong("exists for several drivers");
  const names = one.join?.data?.names ?? [];
  if (names.length === 0) throw wrong("has not been joined, so its link is not known yet");
  const ends = names.flatMap(({ srcName }) => netlink.otherEnd(plugin, srcName) ?? []);
  const [link] = ends;
  if (link === undefined) throw wrong("has no link that stays on the machine");
  if (ends.length > 1) throw wrong(`has ${ends.length} links; only an endpoint with one can be shaped`);
  return { plugin, link };
}

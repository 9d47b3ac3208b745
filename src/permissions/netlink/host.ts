/** `netlink`, on the host's side: reads one plugin's requests, and passes them to the hub, which judges them. */
import type { Json } from "../../driverapi/json.js";
import type { HostPower, PowerMethod } from "../permission.js";
import { NETLINK_OPS, type NetlinkRequest, parseRequest } from "./request.js";

/** What `createNetlinkPower` needs. */
export interface NetlinkPowerOptions {
  readonly plugin: string;
  /** Judges and carries out. Rejects with `ERR_NETLINK_REFUSED`, `ERR_NETLINK_FAILED`, `ERR_PERMISSION_LIMIT`. */
  ask(request: NetlinkRequest): Promise<Json>;
  close(): void;
}

/**
 * Serves `netlink.createLink [link]` and `netlink.links []` (what `LinkInfo` says), `netlink.setLink [name, settings]`,
 * `netlink.deleteLink [name]`, `netlink.addAddress [name, cidr]`, `netlink.deleteAddress [name, cidr]`, `netlink.addRoute [route]`,
 * `netlink.deleteRoute [route]`, `netlink.setRemote [name, remote]`, `netlink.removeRemote [name, host]` (null) and
 * `netlink.remotes [name]` (what `RemoteInfo` says). Links outlive the power: `NetlinkHub.release` or `close` removes them.
 */
export function createNetlinkPower({ plugin, ask, close }: NetlinkPowerOptions): HostPower {
  const methods = NETLINK_OPS.map((op): readonly [string, PowerMethod] => [
    `netlink.${op}`,
    (args) => ask(parseRequest(plugin, op, args)),
  ]);
  return { methods: new Map(methods), close };
}

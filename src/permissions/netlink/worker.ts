/** `netlink`, in the worker: every call of `powers.netlink` is one request to the host half, which does all checks. */
import type { Json } from "../../driverapi/json.js";
import type { Endowment, HostPort } from "../permission.js";
import { plainArgument } from "../plain-json.js";
import type { NetlinkLimits } from "./grant.js";

/** Bounds of one argument, which no valid one exceeds. */
const ARGUMENT = { depth: 4, chars: 4096 } as const;

/**
 * `powers.netlink`: see `NetlinkPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT` (not plain JSON),
 * `ERR_NETLINK_REFUSED` (naming the rule) or `ERR_NETLINK_FAILED` (the kernel's words).
 */
export function endow({ prefix }: Pick<NetlinkLimits, "prefix">, port: HostPort): Endowment {
  const ask =
    (method: string) =>
    async (...args: readonly unknown[]): Promise<Json> =>
      port.request(
        `netlink.${method}`,
        args.slice(0, 2).map((arg) => plainArgument(`netlink.${method}`, arg, ARGUMENT)),
      );
  const run = (method: string): ((...args: readonly unknown[]) => Promise<void>) => {
    const asked = ask(method);
    return async (...args) => {
      await asked(...args);
    };
  };
  return {
    power: {
      prefix,
      createLink: ask("createLink"),
      setLink: run("setLink"),
      deleteLink: run("deleteLink"),
      links: async (): Promise<Json> => port.request("netlink.links", []),
      addAddress: run("addAddress"),
      deleteAddress: run("deleteAddress"),
      addRoute: run("addRoute"),
      deleteRoute: run("deleteRoute"),
      setRemote: run("setRemote"),
      removeRemote: run("removeRemote"),
      remotes: ask("remotes"),
    },
  };
}

/** `netlink`, in the worker: every call of `powers.netlink` is one request to the host half, which does all checks. */
import { copyJson, type Json, JsonError } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Endowment, HostPort } from "../permission.js";
import { wrongArgument } from "../refusal.js";
import type { NetlinkLimits } from "./grant.js";

/** Longest argument, in UTF-16 units: no valid one is longer. */
const ARGUMENT_CHARS = 4096;

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
        args.slice(0, 2).map((arg) => plain(method, arg)),
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

/** Copies a plugin's value as JSON, so that what is sent is what was checked. */
function plain(method: string, value: unknown): Json {
  try {
    return value === undefined ? null : copyJson(value, { depth: 4, nodes: LIMITS.jsonNodes, chars: ARGUMENT_CHARS });
  } catch (error) {
    const why = error instanceof JsonError ? `: ${error.message}` : "";
    throw wrongArgument(`netlink.${method}: its arguments must be plain JSON${why}`);
  }
}

/** `firewall`, in the worker: every call of `powers.firewall` is one request to the host half, which does all checks. */
import type { Json } from "../../driverapi/json.js";
import type { Endowment, HostPort } from "../permission.js";
import { plainArgument } from "../plain-json.js";
import type { FirewallLimits } from "./grant.js";

/** Bounds of one rule, which no valid one exceeds. */
const RULE = { depth: 2, chars: 1024 } as const;

/**
 * `powers.firewall`: see `FirewallPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT` (not plain JSON),
 * `ERR_FIREWALL_REFUSED` (naming the rule) or `ERR_FIREWALL_FAILED` (nft's words).
 */
export function endow({ ports }: Pick<FirewallLimits, "ports">, port: HostPort): Endowment {
  const run =
    (method: string) =>
    async (rule: unknown): Promise<void> => {
      await port.request(`firewall.${method}`, [plainArgument(`firewall.${method}`, rule, RULE)]);
    };
  return {
    power: {
      ports: [...ports],
      masquerade: run("masquerade"),
      publish: run("publish"),
      isolate: run("isolate"),
      allow: run("allow"),
      resolve: run("resolve"),
      connect: run("connect"),
      withdraw: run("withdraw"),
      rules: async (): Promise<Json> => port.request("firewall.rules", []),
      refused: async (): Promise<Json> => port.request("firewall.refused", []),
    },
  };
}

/** `firewall`, in the worker: every call of `powers.firewall` is one request to the host half, which does all checks. */
import { copyJson, type Json, JsonError } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Endowment, HostPort } from "../permission.js";
import { wrongArgument } from "../refusal.js";
import type { FirewallLimits } from "./grant.js";

/** Longest rule, in UTF-16 units: no valid one is longer. */
const RULE_CHARS = 1024;

/**
 * `powers.firewall`: see `FirewallPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT` (not plain JSON),
 * `ERR_FIREWALL_REFUSED` (naming the rule) or `ERR_FIREWALL_FAILED` (nft's words).
 */
export function endow({ ports }: Pick<FirewallLimits, "ports">, port: HostPort): Endowment {
  const run =
    (method: string) =>
    async (rule: unknown): Promise<void> => {
      await port.request(`firewall.${method}`, [plain(method, rule)]);
    };
  return {
    power: {
      ports: [...ports],
      masquerade: run("masquerade"),
      publish: run("publish"),
      isolate: run("isolate"),
      allow: run("allow"),
      resolve: run("resolve"),
      withdraw: run("withdraw"),
      rules: async (): Promise<Json> => port.request("firewall.rules", []),
      refused: async (): Promise<Json> => port.request("firewall.refused", []),
    },
  };
}

/** Copies a plugin's value as JSON, so that what is sent is what was checked. */
function plain(method: string, value: unknown): Json {
  try {
    return value === undefined ? null : copyJson(value, { depth: 2, nodes: LIMITS.jsonNodes, chars: RULE_CHARS });
  } catch (error) {
    const why = error instanceof JsonError ? `: ${error.message}` : "";
    throw wrongArgument(`firewall.${method}: its argument must be plain JSON${why}`);
  }
}

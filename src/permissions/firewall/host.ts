/** `firewall`, on the host's side: reads one plugin's requests, and passes them to the hub, which judges them. */
import type { Json } from "../../driverapi/json.js";
import type { HostPower, PowerMethod } from "../permission.js";
import { FIREWALL_OPS, type FirewallRequest, parseRequest } from "./request.js";

/** What `createFirewallPower` needs. */
export interface FirewallPowerOptions {
  readonly plugin: string;
  /** Judges and carries out. Rejects with `ERR_FIREWALL_REFUSED`, `ERR_FIREWALL_FAILED`, `ERR_PERMISSION_LIMIT`. */
  ask(request: FirewallRequest): Promise<Json>;
  close(): void;
}

/**
 * Serves `firewall.masquerade [spec]`, `firewall.publish [spec]`, `firewall.isolate [spec]`, `firewall.allow [spec]`,
 * `firewall.resolve [spec]`, `firewall.connect [spec]`, `firewall.withdraw [rule]` (null), `firewall.rules []` (the rules) and `firewall.refused []` (the
 * flows). Rules outlive the power: `FirewallHub.release` or `close` removes them.
 */
export function createFirewallPower({ plugin, ask, close }: FirewallPowerOptions): HostPower {
  const methods = FIREWALL_OPS.map((op): readonly [string, PowerMethod] => [
    `firewall.${op}`,
    async (args) => ask(parseRequest(plugin, op, args)),
  ]);
  return { methods: new Map(methods), close };
}

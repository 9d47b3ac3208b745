/** What the policy says of a plugin now, compared with what its running version was given. */
import { differences, differenceText } from "../../policy/difference.js";
import { type Effective, effectiveGrant } from "../../policy/effective.js";
import { policyEntry } from "../../policy/schema.js";
import { termsOf } from "../../policy/terms.js";
import type { PluginContext } from "./plugin-context.js";
import type { Prepared } from "./prepare.js";

/** Returns why the policy stops the plugin; undefined if it does not. */
export function stoppedByPolicy({ id, host }: PluginContext): string | undefined {
  const stopped = policyEntry(host.policy(), id)?.enabled === false;
  return stopped ? 'the policy stops it ("enabled": false)' : undefined;
}

/** Describes what the running version has beyond the current grant; "" if nothing. */
export function excessText(plugin: PluginContext): string {
  const running = plugin.active.prepared;
  if (!running) return "";
  const found = differences(termsOf(grantNow(plugin, running)), termsOf(running.effective));
  return differenceText(found.filter(({ way }) => way === "more"));
}

/** Lists the permissions, and "scope", that the running version has and the policy no longer grants. */
export function exceeding(plugin: PluginContext): readonly string[] {
  const running = plugin.active.alive ? plugin.active.prepared : undefined;
  if (!running) return [];
  const now = grantNow(plugin, running);
  const { permissions, scope } = running.effective;
  const gone = Object.keys(permissions).filter((name) => !Object.hasOwn(now.permissions, name));
  return scope === now.scope || now.scope === "global" ? gone : [...gone, "scope"];
}

/**
 * Returns what a plugin may do at present: what its worker was given, or without one what the policy would give that version; undefined
 * if it waits for a grant, was refused, or has lost its grant meanwhile.
 */
export function grantInForce(plugin: PluginContext): Effective | undefined {
  const { active, state } = plugin;
  const { prepared } = active;
  if (prepared === undefined || active.alive) return prepared?.effective;
  if (state === "awaiting-grant" || state === "refused") return undefined;
  const now = grantNow(plugin, prepared);
  return now.missing.length === 0 ? now : undefined;
}

/** Returns what the policy now grants to that version. */
function grantNow({ id, host }: PluginContext, { manifest }: Prepared): Effective {
  const { isolation, threadsOnly } = host;
  return effectiveGrant({ id, policy: host.policy(), hostIsolation: isolation, threadsOnly, manifest });
}

/** What a plugin may do, in words. */
import type { PluginDetails } from "../../control/types.js";

/** What each permission gives, from the catalogue; filled in by the build. */
declare const GIVES: Readonly<Record<string, string>>;

/** Returns a line for each part of the grant. */
export function grantInWords({ grant, limits, types }: PluginDetails): readonly string[] {
  if (grant === null) return ["Nothing: it has no grant."];
  const permissions = Object.entries(grant.permissions).map(([name, bounds]) => {
    const within = Object.entries(bounds as Readonly<Record<string, unknown>>).map(
      ([key, value]) => `${key} ${Array.isArray(value) ? value.join(", ") : String(value)}`,
    );
    return `${name}: ${GIVES[name] ?? ""}${within.length === 0 ? "" : ` (${within.join("; ")})`}`;
  });
  const served = types.length === 0 ? "no network type" : `the network types ${types.join(", ")}`;
  const used = limits
    ? [`Use at most ${limits.memoryMb} MiB of memory and ${limits.cpuPercent} % of a processor.`]
    : [];
  return [`Serve ${served}, with ${grant.scope} scope.`, ...permissions, ...used];
}

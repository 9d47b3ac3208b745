/** Schema of an operator's policy (`bulkhead.config.json`). */

import { z } from "../common/zod.js";
import type { Json } from "../driverapi/json.js";
import { isTypeName, notATypeName } from "../driverapi/names.js";
import type { Scope } from "../driverapi/types.js";
import type { Isolation } from "../isolation/link.js";
import { SANDBOXES, type SandboxPolicy } from "../isolation/walls/wall.js";
import { clashingPrefixes } from "../permissions/netlink/grant.js";
import { type PluginLimits, pluginLimitsSchema } from "./manifest/plugin-limits.js";
import {
  isolationSchema,
  networkTypesSchema,
  type PermissionSet,
  PLUGIN_ID,
  permissionShape,
  scopeSchema,
  type Timeouts,
  timeoutsSchema,
} from "./manifest/schema.js";

/** What a plugin is given: a scope, and permissions by name. */
export type Grant = PermissionSet & { readonly scope?: Scope };

/** Arguments of `config()` of each driver, by network type. */
export type DriverOptions = { readonly [type: string]: { readonly [key: string]: Json } };

/** The policy for one plugin. */
export interface PolicyEntry {
  /** `false` stops the plugin: it refuses new networks, and ends when its last one is deleted. */
  readonly enabled?: boolean;
  readonly grant?: Grant;
  /** Permissions that a revocation removed, kept for the operator's next grant. Grants nothing. */
  readonly revoked?: Grant;
  readonly options?: DriverOptions;
  readonly timeouts?: Timeouts;
  readonly limits?: PluginLimits;
  readonly isolation?: Isolation;
  /** The network types it may register; absent: those its manifest names. */
  readonly networkTypes?: readonly string[];
  /** Network types whose networks another plugin made, and that this plugin takes over. */
  readonly takeTypes?: readonly string[];
  /** The digest of the code that may run, 64 hex digits; absent: any. */
  readonly sha256?: string;
  /**
   * What happens to a plugin whose digest is not the pinned one. "ask" (default): it waits for its grant. "same-grant": it is
   * loaded if it does not ask for more than the pinned version was given.
   */
  readonly update?: "ask" | "same-grant";
}

/** The policy for plugins whose entries do not say otherwise. */
export interface PolicyDefaults {
  readonly timeouts?: Timeouts;
  readonly limits?: PluginLimits;
  readonly isolation?: Isolation;
}

/** A policy. Read `plugins` with `policyEntry`: ids such as `constructor` are legal. */
export interface Policy {
  readonly $schema?: string;
  /**
   * The wall around host processes. "bubblewrap" (default): nothing weaker; "auto": the strongest that can be raised here;
   * "node": only Node's permission flags; "none": not even those.
   */
  readonly sandbox?: SandboxPolicy;
  readonly defaults?: PolicyDefaults;
  readonly plugins?: { readonly [id: string]: PolicyEntry };
}

const defaultsShape = {
  timeouts: z.exactOptional(timeoutsSchema),
  limits: z.exactOptional(pluginLimitsSchema),
  isolation: z.exactOptional(isolationSchema),
};

/** Checks type names. A key schema would report every wrong key, possibly thousands; one is enough. */
function checkTypeNames(options: object, context: z.RefinementCtx): void {
  const wrong = Object.keys(options).find((type) => !isTypeName(type));
  if (wrong === undefined) return;
  const why: z.core.$ZodIssue = { code: "custom", message: notATypeName(wrong), path: [], input: wrong };
  context.addIssue({ code: "invalid_key", origin: "record", issues: [why], input: options, path: [wrong] });
}

const grantSchema = z.exactOptional(
  z.strictObject({ scope: z.exactOptional(scopeSchema), ...permissionShape }),
) as z.ZodType<Grant>;

const entrySchema = z.strictObject({
  enabled: z.exactOptional(z.boolean()),
  grant: grantSchema,
  revoked: grantSchema,
  options: z.exactOptional(
    z.record(z.string(), z.record(z.string(), z.json())).superRefine(checkTypeNames),
  ) as z.ZodType<DriverOptions>,
  ...defaultsShape,
  networkTypes: z.exactOptional(networkTypesSchema),
  takeTypes: z.exactOptional(networkTypesSchema),
  sha256: z.exactOptional(z.string().regex(/^[0-9A-Fa-f]{64}$/, { error: "must be 64 hex digits" })),
  update: z.exactOptional(z.enum(["ask", "same-grant"])),
});

/** Schema of the whole policy. */
export const policySchema: z.ZodType<Policy> = z.strictObject({
  $schema: z.exactOptional(z.string().max(2048)),
  sandbox: z.exactOptional(z.enum(SANDBOXES)),
  defaults: z.exactOptional(z.strictObject(defaultsShape)),
  plugins: z.exactOptional(
    z
      .record(
        z.string().regex(PLUGIN_ID, { error: `must be a plugin's id, which matches ${PLUGIN_ID.source}` }),
        entrySchema,
      )
      .superRefine((plugins, context) => {
        const clash = clashingPrefixes(netlinkPrefixes(plugins));
        if (clash === undefined) return;
        const message = `overlaps the prefix of plugin "${clash[0]}": the links of "${clash[0]}" and "${clash[1]}" could not be told apart; choose another prefix`;
        context.addIssue({ code: "custom", path: [clash[1], "grant", "netlink", "prefix"], message });
      }),
  ),
});

/** Lists the prefixes that netlink grants name, with their plugins. */
export function netlinkPrefixes(
  plugins: Readonly<Record<string, PolicyEntry>>,
): readonly (readonly [string, string])[] {
  return Object.entries(plugins).flatMap(([id, entry]) => {
    const netlink = entry.grant?.netlink;
    return typeof netlink === "object" && netlink.prefix !== undefined ? [[id, netlink.prefix] as const] : [];
  });
}

/** Returns the entry of one plugin, or undefined; never an inherited property. */
export function policyEntry(policy: Policy, id: string): PolicyEntry | undefined {
  return policy.plugins !== undefined && Object.hasOwn(policy.plugins, id) ? policy.plugins[id] : undefined;
}

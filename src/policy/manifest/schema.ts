/** Schema of manifests (`plugin.json`, `NAME.plugin.json`), and the parts that the policy shares with it. */

import { z } from "../../common/zod.js";
import { DRIVER_METHODS, GlobalScope, LocalScope, OPTIONAL_DRIVER_METHODS } from "../../driverapi/constants.js";
import { isTypeName, notATypeName } from "../../driverapi/names.js";
import type { DriverMethod, OptionalDriverMethod, Scope } from "../../driverapi/types.js";
import { ISOLATIONS, type Isolation } from "../../isolation/link.js";
import { PERMISSIONS, type PermissionLimits, type PermissionName } from "../../permissions/catalogue.js";
import { DOCUMENT_LIMITS } from "../limits.js";
import { type PluginLimits, pluginLimitsSchema } from "./plugin-limits.js";

/** A plugin id: a file stem or folder name. */
export const PLUGIN_ID: RegExp = /^[a-z][a-z0-9-]{0,31}$/;

/** Deadlines, in milliseconds. `default` applies to methods that are not named, but not to `init`. */
export type Timeouts = { readonly [K in DriverMethod | OptionalDriverMethod | "default" | "init"]?: number };

/** Permissions by name: `true`, or some of its limits. */
export type PermissionSet = { readonly [N in PermissionName]?: true | Partial<PermissionLimits[N]> };

/** A manifest: what a plugin says about itself and asks for. */
export interface Manifest {
  readonly $schema?: string;
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly apiVersion?: 1;
  /** The code of a folder plugin, relative to the folder; absent: `index.js`, `index.mjs` or `index.ts`. */
  readonly main?: string;
  readonly networkTypes?: readonly string[];
  readonly scope?: Scope;
  readonly permissions?: PermissionSet;
  /** Permissions it uses if the policy names them, and does without otherwise. */
  readonly optionalPermissions?: PermissionSet;
  readonly timeouts?: Timeouts;
  readonly limits?: PluginLimits;
  readonly isolation?: Isolation;
  /** How networks are restored after a restart: by the host, through replay, or by the plugin itself. */
  readonly recovery?: "replay" | "self";
  /** False: the gateway creates no sockets for its types, since they mean something else to a Docker engine. Default: true. */
  readonly docker?: boolean;
}

const milliseconds = z.int().min(1).max(DOCUMENT_LIMITS.timeoutMs);

/** Schema of `timeouts`, in manifest and policy. */
export const timeoutsSchema: z.ZodType<Timeouts> = z.strictObject(
  Object.fromEntries(
    ["default", "init", ...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS].map((key) => [
      key,
      z.exactOptional(milliseconds),
    ]),
  ),
);

/** Schema of each permission's member: `true` or an object of limits. All are optional. */
export const permissionShape: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(PERMISSIONS).map(([name, row]) => [
    name,
    z.exactOptional(z.union([z.literal(true), row.limits]).describe(row.gives)),
  ]),
);

/** Schema of `isolation`, in manifest and policy. */
export const isolationSchema: z.ZodType<Isolation> = z.enum(ISOLATIONS);

/** Schema of `scope`, in manifest and grant. */
export const scopeSchema: z.ZodType<Scope> = z.enum([LocalScope, GlobalScope]);

/** Schema of a network type's name, by the contract's rules. */
const typeNameSchema = z.string().refine(isTypeName, {
  error: (issue) => notATypeName(issue.input),
});

/** Schema of `networkTypes`, in manifest and policy. */
export const networkTypesSchema: z.ZodType<readonly string[]> = z
  .array(typeNameSchema)
  .min(1)
  .max(DOCUMENT_LIMITS.driversMax)
  .refine((types) => new Set(types).size === types.length, { error: "must name each type once" });

/** A relative path that cannot leave its folder, with an extension that can be loaded. */
const mainSchema = z
  .string()
  .min(1)
  .max(256)
  .refine((path) => !/^([/\\]|[A-Za-z]:)/.test(path), { error: "must be a relative path" })
  .refine((path) => !path.includes("\\"), { error: 'must be written with "/"' })
  .refine((path) => !path.split("/").includes(".."), { error: 'must stay within the plugin\'s folder, without ".."' })
  .refine((path) => isPrintable(path), { error: "must hold no control characters" })
  .refine((path) => /\.(js|mjs|ts)$/.test(path) && !/\.d\.ts$/.test(path), {
    error: "must name a .js, .mjs or .ts file",
  });

const lineSchema = (chars: number): z.ZodType<string> =>
  z
    .string()
    .min(1)
    .max(chars)
    .refine((text) => isPrintable(text), { error: "must be one line without control characters" });

/** Rejects control and bidirectional-override characters: this text is printed on operators' terminals. */
function isPrintable(text: string): boolean {
  return !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text);
}

/** Schema of the whole manifest. */
export const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  $schema: z.exactOptional(z.string().max(2048)),
  name: z.exactOptional(z.string().regex(PLUGIN_ID, { error: `must match ${PLUGIN_ID.source}` })),
  version: z.exactOptional(lineSchema(64)),
  description: z.exactOptional(lineSchema(1024)),
  apiVersion: z.exactOptional(z.literal(1)),
  main: z.exactOptional(mainSchema),
  networkTypes: z.exactOptional(networkTypesSchema),
  scope: z.exactOptional(scopeSchema),
  permissions: z.exactOptional(z.strictObject(permissionShape)) as z.ZodType<PermissionSet>,
  optionalPermissions: z.exactOptional(z.strictObject(permissionShape)) as z.ZodType<PermissionSet>,
  timeouts: z.exactOptional(timeoutsSchema),
  limits: z.exactOptional(pluginLimitsSchema),
  isolation: z.exactOptional(isolationSchema),
  recovery: z.exactOptional(z.enum(["replay", "self"])),
  docker: z.exactOptional(z.boolean()),
});

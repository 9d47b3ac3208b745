/** The limits of a `firewall` grant in a manifest or a policy. */
import { z } from "../../common/zod.js";
import { parseRange } from "./ports.js";

/** `firewall`: rules for the plugin's own bridges. Their addresses are within the `subnets` of its `netlink` grant. */
export type FirewallLimits = {
  /** Ports of the host it may publish: `80`, `8000-8999`. Only a policy can grant any. */
  readonly ports: readonly string[];
  /** Most rules it may have at a time. */
  readonly max: number;
};

/** Schema of the limits. Each is optional. */
export const firewallLimits: z.ZodObject = z.strictObject({
  ports: z.exactOptional(
    z
      .array(
        z.string().refine((text) => parseRange(text) !== undefined, {
          error: 'must be a port or a range of ports, such as "80" or "8000-8999"',
        }),
      )
      .max(256),
  ),
  max: z.exactOptional(z.int().min(1).max(65_536)),
});

/** Defaults where neither side names a limit; `ports` has none. */
export const firewallDefaults = { max: 1024 } as const;

/** Values for the required limits when a plugin is only tried out. */
export const firewallTried = { ports: ["30000-32767"] } as const;

/** What bounds a `firewall` grant, as a manifest or a policy writes it. */
import { z } from "../../common/zod.js";
import { parseRange } from "./ports.js";

/** `firewall`: ways in and out of the plugin's own bridges. Its addresses lie within the `subnets` of its `netlink` grant. */
export type FirewallLimits = {
  /** Ports of the host it may publish: `80`, `8000-8999`. The policy must name them: nothing else opens any. */
  readonly ports: readonly string[];
  /** Rules it may have at one time. */
  readonly max: number;
};

/** The limits; each may be left out. */
export const firewallLimits: z.ZodObject = z.strictObject({
  ports: z.exactOptional(
    z
      .array(
        z.string().refine((text) => parseRange(text) !== undefined, {
          error: 'must be a port or a range of ports, as "80" or "8000-8999"',
        }),
      )
      .max(256),
  ),
  max: z.exactOptional(z.int().min(1).max(65_536)),
});

/** Defaults where neither manifest nor policy names a limit; the ports have none. */
export const firewallDefaults = { max: 1024 } as const;

/** Stands in for the limits that must be named, where a plugin is only tried out. */
export const firewallTried = { ports: ["30000-32767"] } as const;

/** The limits of a `resolver` grant in a manifest or a policy. */
import { z } from "../../common/zod.js";
import { parseIP } from "../../driverapi/addresses.js";

/** `resolver`: answers the name queries of the plugin's own bridges. */
export type ResolverLimits = {
  /** Name servers it may ask, `192.0.2.53` or `192.0.2.53:5353`, `[2001:db8::53]:53`. Only a policy can grant any. */
  readonly upstreams: readonly string[];
  /** Addresses at which it may answer at a time: one per network and family. */
  readonly max: number;
  /** Queries a second, per address; further ones are dropped. */
  readonly queriesPerSecond: number;
  /** Queries without an answer at a time, per address; further ones are dropped. */
  readonly outstanding: number;
};

/** A name server's address. */
export interface Upstream {
  readonly ip: string;
  readonly port: number;
}

/** Parses an upstream server; returns undefined if the text is not one. */
export function parseUpstream(text: string): Upstream | undefined {
  const [, bracketed, four, six, digits = "53"] =
    /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)|([0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*))(?::(?<=[\].0-9]:)(\d{1,5}))?$/i.exec(text) ??
    [];
  const port = Number(digits);
  try {
    const ip = parseIP(bracketed ?? four ?? six ?? "");
    return ip !== "" && port >= 1 && port <= 65_535 ? { ip, port } : undefined;
  } catch {
    return undefined;
  }
}

/** Schema of the limits. Each is optional. */
export const resolverLimits: z.ZodObject = z.strictObject({
  upstreams: z.exactOptional(
    z
      .array(
        z.string().refine((text) => parseUpstream(text) !== undefined, {
          error: 'must be a name server\'s address, such as "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:53"',
        }),
      )
      .max(16),
  ),
  max: z.exactOptional(z.int().min(1).max(4_096)),
  queriesPerSecond: z.exactOptional(z.int().min(1).max(100_000)),
  outstanding: z.exactOptional(z.int().min(1).max(4_096)),
});

/** Defaults where neither side names a limit; `upstreams` has none. */
export const resolverDefaults = { max: 256, queriesPerSecond: 500, outstanding: 256 } as const;

/** Values for the required limits when a plugin is only tried out. */
export const resolverTried = { upstreams: ["192.0.2.53"] } as const;

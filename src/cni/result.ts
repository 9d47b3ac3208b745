/** The result of ADD, in the form of each version of the specification. */
import type { Attachment } from "../attachments/attachment.js";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import type { CniVersion } from "./versions.js";

export interface CniRoute {
  readonly dst: string;
  readonly gw?: string | undefined;
}

/** A result of another plugin, as far as it is read; the rest of it is passed on. */
export interface CniResult {
  readonly interfaces: readonly JsonObject[];
  readonly ips: readonly {
    readonly address: string;
    readonly gateway?: string | undefined;
    readonly interface?: number | undefined;
  }[];
  readonly routes: readonly CniRoute[];
  readonly dns: JsonObject | undefined;
}

const text = z.string().max(128);

export const cniRoute: z.ZodType<CniRoute> = z.object({
  dst: text,
  gw: text.nullish().transform((value) => value || undefined),
});

const object: z.ZodType<JsonObject> = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;
const list = <T>(item: z.ZodType<T>): z.ZodType<readonly T[]> =>
  z
    .array(item)
    .max(1_024)
    .nullish()
    .transform((value) => value ?? []);

export const cniResult: z.ZodType<CniResult> = z.object({
  interfaces: list(object),
  ips: list(
    z.object({
      address: text,
      gateway: text.nullish().transform((value) => value || undefined),
      interface: z
        .int()
        .min(0)
        .nullish()
        .transform((value) => value ?? undefined),
    }),
  ),
  routes: list(cniRoute),
  dns: object.nullish().transform((value) => value ?? undefined),
});

/** Returns the result of an attachment, after what earlier plugins of the chain gave. */
export function resultOf(
  { links, netns, gateway, gatewayIPv6 }: Attachment,
  {
    cniVersion,
    before,
    routes,
    dns,
  }: {
    readonly cniVersion: CniVersion;
    readonly before: CniResult | undefined;
    readonly routes: readonly CniRoute[];
    readonly dns: JsonObject | undefined;
  },
): JsonObject {
  const interfaces: JsonObject[] = [...(before?.interfaces ?? [])];
  const ips: JsonObject[] = (before?.ips ?? []).map((one) => ipOf(cniVersion, one));
  for (const { name, mac, addresses, hostEnd } of links) {
    // Plugins such as bandwidth look for the host's end.
    if (hostEnd !== "") interfaces.push({ name: hostEnd });
    interfaces.push({ name, mac, sandbox: netns });
    for (const address of addresses)
      ips.push(
        ipOf(cniVersion, {
          address,
          gateway: (address.includes(":") ? gatewayIPv6 : gateway) || undefined,
          interface: interfaces.length - 1,
        }),
      );
  }
  return {
    cniVersion,
    interfaces,
    ips,
    routes: [...(before?.routes ?? []), ...routes].map(({ dst, gw }) => ({ dst, ...(gw === undefined ? {} : { gw }) })),
    dns: dns ?? before?.dns ?? {},
  };
}

/** Returns an address in the form of the version: up to 0.4.0 it names its family. */
function ipOf(cniVersion: CniVersion, { address, gateway, interface: at }: CniResult["ips"][number]): JsonObject {
  return {
    ...(cniVersion.startsWith("0.") ? { version: address.includes(":") ? "6" : "4" } : {}),
    address,
    ...(gateway === undefined ? {} : { gateway }),
    ...(at === undefined ? {} : { interface: at }),
  };
}

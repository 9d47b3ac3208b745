/**
 * What Podman and netavark give a plugin (netavark-plugin(7), the same from 1.14 to 1.17); untrusted until parsed. Unknown fields are
 * ignored, since later versions add some.
 */

import { ATTACHMENTS } from "../attachments/limits.js";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";

export interface PodmanSubnet {
  /** CIDR form. */
  readonly subnet: string;
  readonly gateway?: string | null | undefined;
}

/** A network of Podman's. */
export interface PodmanNetwork {
  readonly name: string;
  readonly id: string;
  readonly driver: string;
  /** The bridge's name, which our drivers choose themselves. */
  readonly network_interface: string;
  readonly subnets: readonly PodmanSubnet[];
  readonly routes: readonly unknown[];
  readonly ipv6_enabled: boolean;
  readonly internal: boolean;
  readonly dns_enabled: boolean;
  readonly options: JsonObject;
  readonly network_dns_servers: readonly string[];
  readonly ipam_options: { readonly driver?: string | null | undefined };
}

/** A published port, or a range of them. */
export interface PodmanPort {
  readonly container_port: number;
  readonly host_port: number;
  /** "": all addresses of the host. */
  readonly host_ip: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly range: number;
}

/** Standard input of `setup` and `teardown`. */
export interface PodmanContainer {
  readonly container_id: string;
  readonly container_name: string;
  readonly port_mappings: readonly PodmanPort[];
  readonly network: PodmanNetwork;
  readonly network_options: {
    readonly aliases: readonly string[];
    readonly interface_name: string;
    readonly static_ips: readonly string[];
    readonly static_mac: string;
    readonly options: JsonObject;
  };
}

const name = z
  .string()
  .regex(/^\P{Cc}*$/u, "must hold no control characters")
  .max(ATTACHMENTS.nameChars);
const named = name.min(1);
const orEmpty = name.nullish().transform((value) => value ?? "");
const names = z
  .array(named)
  .max(256)
  .nullish()
  .transform((value) => value ?? []);
const yes = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const options = z
  .record(z.string(), z.json())
  .nullish()
  .transform((value) => (value ?? {}) as JsonObject);

export const podmanNetwork: z.ZodType<PodmanNetwork> = z.object({
  name: named,
  id: named,
  driver: named,
  network_interface: orEmpty,
  subnets: z
    .array(z.object({ subnet: named, gateway: name.nullish() }))
    .max(64)
    .nullish()
    .transform((value) => value ?? []),
  routes: z
    .array(z.unknown())
    .nullish()
    .transform((value) => value ?? []),
  ipv6_enabled: yes,
  internal: yes,
  dns_enabled: yes,
  options,
  network_dns_servers: names,
  ipam_options: z
    .object({ driver: name.nullish() })
    .nullish()
    .transform((value) => value ?? {}),
});

const port = z.int().min(0).max(65_535);

export const podmanContainer: z.ZodType<PodmanContainer> = z.object({
  container_id: named,
  container_name: named,
  port_mappings: z
    .array(
      z.object({
        container_port: port.min(1),
        host_port: port,
        host_ip: orEmpty,
        protocol: z.enum(["tcp", "udp", "sctp"]),
        range: z
          .int()
          .min(0)
          .max(65_535)
          .nullish()
          .transform((value) => value || 1),
      }),
    )
    .nullish()
    .transform((value) => value ?? []),
  network: podmanNetwork,
  network_options: z.object({
    aliases: names,
    interface_name: named,
    static_ips: names,
    static_mac: orEmpty,
    options,
  }),
});

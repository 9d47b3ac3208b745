/** The `ipam` of a configuration: an IPAM plugin's, which the executable runs, or the subnets of the driver's own pool. */
import ipaddr from "ipaddr.js";
import type { PoolSpec } from "../attachments/attachment.js";
import { z } from "../common/zod.js";
import type { SandboxRoute } from "../sandbox/sandbox.js";
import { CniFailure } from "./failure.js";
import { type CniResult, type CniRoute, cniRoute } from "./result.js";

/** Without a plugin: the network's pools and routes. `plugin` true: the addresses come with the request. */
export interface OwnIpam {
  readonly plugin: boolean;
  readonly pools: readonly PoolSpec[];
  readonly routes: readonly CniRoute[];
}

const poolSchema = z.strictObject({ subnet: z.string().max(64), gateway: z.string().max(64).optional() });

/** The fields of host-local that the driver's own pool uses. */
const ownSchema = z.strictObject({
  type: z.literal("").optional(),
  subnet: z.string().max(64).optional(),
  gateway: z.string().max(64).optional(),
  ranges: z.array(z.array(poolSchema).length(1)).max(2).optional(),
  routes: z.array(cniRoute).max(256).optional(),
});

/** Reads the field. Throws `CniFailure`. */
export function parseIpam(value: unknown): OwnIpam {
  const { type } = (value ?? {}) as { readonly type?: unknown };
  if (typeof type === "string" && type !== "") return { plugin: true, pools: [], routes: [] };
  const read = ownSchema.safeParse(value ?? {});
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = ["ipam", ...(issue?.path ?? [])].join(".");
    throw new CniFailure(
      "config",
      `the network configuration: ${where}: ${issue?.message}; without "type" the driver's own pool is used, which takes subnet and gateway, or ranges of one subnet each, and routes`,
    );
  }
  const { subnet, gateway, ranges = [], routes = [] } = read.data;
  const single = subnet === undefined ? [] : [{ subnet, gateway }];
  return { plugin: false, pools: [...single, ...ranges.flat()], routes };
}

/** Returns the network's pools as an IPAM plugin's addresses show them. Throws `CniFailure`. */
export function poolsOf({ ips }: CniResult): readonly PoolSpec[] {
  return ips.map(({ address, gateway }) => ({ subnet: networkOf(address), gateway }));
}

function networkOf(cidr: string): string {
  try {
    const six = cidr.includes(":");
    const network = six ? ipaddr.IPv6.networkAddressFromCIDR(cidr) : ipaddr.IPv4.networkAddressFromCIDR(cidr);
    return `${network.toString()}/${cidr.split("/", 2)[1]}`;
  } catch {
    throw new CniFailure("config", `the IPAM plugin's address ${JSON.stringify(cidr)} is not one with a prefix length`);
  }
}

/** Gives each route its next hop: a route without one goes through the gateway of its family. Throws `CniFailure`. */
export function routesVia(
  routes: readonly CniRoute[],
  gateways: readonly (string | undefined)[],
): readonly SandboxRoute[] {
  return routes.map(({ dst, gw }) => {
    const via = gw ?? gateways.find((one) => one !== undefined && one.includes(":") === dst.includes(":"));
    if (via === undefined || via === "")
      throw new CniFailure("config", `the route to ${dst} has no gw, and the network has no gateway of its family`);
    return { destination: dst, via };
  });
}

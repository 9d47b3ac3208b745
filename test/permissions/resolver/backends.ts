/** Both backends of the resolver, each with a netlink of its own in a throwaway namespace. */
import type { Json } from "#dist/driverapi/json.js";
import type { HostPower } from "#dist/permissions/permission.js";
import type { ResolverLimits } from "#dist/permissions/resolver/grant.js";
import { createResolverHub, type ResolverHub } from "#dist/permissions/resolver/hub.js";
import type { TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { type Asked, type Bench, bench } from "../netlink/backends.js";

const RESOLVER_FOR_TESTS: ResolverLimits = {
  upstreams: ["192.0.2.53", "[2001:db8::53]:5353"],
  max: 4,
  queriesPerSecond: 1000,
  outstanding: 256,
};

/** A plugin's power. */
export interface Opened {
  readonly ask: Asked;
  readonly power: HostPower;
}

export interface ResolverBench extends Bench {
  readonly resolver: ResolverHub;
  openResolver(plugin: string, limits?: Partial<ResolverLimits>): Opened;
}

export async function resolverBench(t: TestContext, kind: "kernel" | "model"): Promise<ResolverBench> {
  const links = await bench(t, kind);
  const { netns, hub } = links;
  const resolver = createResolverHub({ netlink: hub, netns: kind === "kernel" ? netns : undefined, logger: SILENT });
  t.cleanup(() => resolver.close());
  return {
    ...links,
    resolver,
    openResolver(plugin, limits = {}) {
      const power = resolver.open(plugin, { ...RESOLVER_FOR_TESTS, ...limits });
      const ask: Asked = async (method, ...args) => {
        const serve = power.methods?.get(`resolver.${method}`);
        if (!serve) throw new Error(`there is no resolver.${method}`);
        return (await serve(args)) as Json;
      };
      return { ask, power };
    },
  };
}

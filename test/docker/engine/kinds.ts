/** The engines that the acceptance runs against, and the ways in which a stock one comes. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface EngineKind {
  /** Release, as `docker version` begins. */
  readonly release: "20.10" | "26.1" | "28.5";
  /** The Debian release whose root has it (`root.sh`); undefined: it is the machine's own. */
  readonly suite: string | undefined;
  /** `docker network connect --gw-priority`, from 28 on. */
  readonly gatewayPriority: boolean;
  /** A network with `--ipv6` and no subnet of that family gets one of the engine's choice, from 27 on. */
  readonly choosesIpv6: boolean;
  /** Without `--dns`, the machine's name servers are asked from the machine's namespace instead of the container's: seen from 28 on. */
  readonly asksFromMachine: boolean;
}

/** How a stock engine is set up, where machines differ. */
export interface Variant {
  /** `net.bridge.bridge-nf-call-iptables` and the like before the engine starts. */
  readonly bridgeFilter: 0 | 1;
  /** Engines publish ports through a proxy of theirs unless told otherwise. */
  readonly userlandProxy: boolean;
}

export const STOCK: Variant = { bridgeFilter: 1, userlandProxy: true };

/** The other ways; a suite as a whole runs on the first, what moves packets on these too. */
export const VARIANTS: readonly Variant[] = [
  { bridgeFilter: 0, userlandProxy: false },
  { bridgeFilter: 0, userlandProxy: true },
  { bridgeFilter: 1, userlandProxy: false },
];

export const ENGINES: Readonly<Record<"machine" | "trixie" | "sid", EngineKind>> = {
  machine: { release: "20.10", suite: undefined, gatewayPriority: false, choosesIpv6: false, asksFromMachine: false },
  trixie: { release: "26.1", suite: "trixie", gatewayPriority: false, choosesIpv6: false, asksFromMachine: false },
  sid: { release: "28.5", suite: "sid", gatewayPriority: true, choosesIpv6: true, asksFromMachine: true },
};

/** `BULKHEAD_ENGINES=whole`: every case on every engine and variant, as `npm run test:engines` does. */
export const WHOLE: boolean = process.env.BULKHEAD_ENGINES === "whole";

/** The folder of an engine's root; undefined for the machine's own. */
export function rootOf({ suite }: EngineKind): string | undefined {
  return suite === undefined ? undefined : join(process.env.BULKHEAD_ROOTS ?? "/var/cache/bulkhead-roots", suite);
}

/** Why there is no root for this engine; undefined when there is one. */
export function noRoot(kind: EngineKind): string | undefined {
  const root = rootOf(kind);
  if (root === undefined || existsSync(join(root, "usr/sbin/dockerd"))) return undefined;
  return `there is no engine in ${root} (make it: test/docker/engine/root.sh ${kind.suite})`;
}

/** Name of a variant in a test's title. */
export function wayOf({ bridgeFilter, userlandProxy }: Variant): string {
  return `bridge-nf-call-iptables=${bridgeFilter}, proxy ${userlandProxy ? "on" : "off"}`;
}

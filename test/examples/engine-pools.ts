/**
 * The pools from which an engine chooses a network's subnet where nobody names one, of a `daemon.json` without `default-address-pools`.
 * Source: moby, `libnetwork/ipamutils/utils.go` (localScopeDefaultNetworks; the same in 20.10, 26.1 and 28.5), and for IPv6
 * `daemon/daemon.go` of 28 (deriveULABaseNetwork: a /48 of fd00::/8 made from the machine's id, /64 for each network).
 */
export interface EnginePool {
  readonly base: string;
  /** Prefix length of one network's subnet. */
  readonly size: number;
}

export const ENGINE_POOLS: readonly EnginePool[] = [
  { base: "172.17.0.0/16", size: 16 },
  { base: "172.18.0.0/16", size: 16 },
  { base: "172.19.0.0/16", size: 16 },
  { base: "172.20.0.0/14", size: 16 },
  { base: "172.24.0.0/14", size: 16 },
  { base: "172.28.0.0/14", size: 16 },
  { base: "192.168.0.0/16", size: 20 },
  { base: "fd00::/8", size: 64 },
];

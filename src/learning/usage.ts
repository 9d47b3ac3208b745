/** What a plugin has used of its permissions, as plain data: what hosts observe, and what a grant is made of. */

/** What it used of `netlink`. */
export interface NetlinkUsage {
  readonly kinds: readonly string[];
  /** Most links at a time; a veth counts as two. */
  readonly links: number;
  /** Networks of its addresses and routes. */
  readonly networks: readonly string[];
  readonly parents: readonly string[];
  readonly passthru: boolean;
  readonly vnis: readonly number[];
  readonly remotes: readonly string[];
  /** UDP ports of tunnels. */
  readonly ports: readonly number[];
}

/** What it used of `firewall`. */
export interface FirewallUsage {
  /** Most rules at a time. */
  readonly rules: number;
  /** Published ports of the host. */
  readonly ports: readonly number[];
}

/** What it used of `traffic`. */
export interface TrafficUsage {
  readonly effects: readonly string[];
  /** Most shaped links at a time. */
  readonly links: number;
  /** Rates, in bits per second. */
  readonly rates: readonly number[];
  /** The longest delay, in microseconds, and the highest loss, in percent; 0: none. */
  readonly delay: number;
  readonly loss: number;
}

/** What it used of `store`: the most that it held. */
export interface StoreUsage {
  readonly bytes: number;
  readonly keys: number;
}

/** A permission that is absent was not used. */
export interface Usage {
  readonly netlink?: NetlinkUsage | undefined;
  readonly firewall?: FirewallUsage | undefined;
  readonly traffic?: TrafficUsage | undefined;
  readonly store?: StoreUsage | undefined;
}

/** Returns what two observations of one plugin are together. */
export function together(a: Usage, b: Usage): Usage {
  return {
    netlink: both(a.netlink, b.netlink, (x, y) => ({
      kinds: union(x.kinds, y.kinds),
      links: Math.max(x.links, y.links),
      networks: union(x.networks, y.networks),
      parents: union(x.parents, y.parents),
      passthru: x.passthru || y.passthru,
      vnis: union(x.vnis, y.vnis),
      remotes: union(x.remotes, y.remotes),
      ports: union(x.ports, y.ports),
    })),
    firewall: both(a.firewall, b.firewall, (x, y) => ({
      rules: Math.max(x.rules, y.rules),
      ports: union(x.ports, y.ports),
    })),
    traffic: both(a.traffic, b.traffic, (x, y) => ({
      effects: union(x.effects, y.effects),
      links: Math.max(x.links, y.links),
      rates: union(x.rates, y.rates),
      delay: Math.max(x.delay, y.delay),
      loss: Math.max(x.loss, y.loss),
    })),
    store: both(a.store, b.store, (x, y) => ({
      bytes: Math.max(x.bytes, y.bytes),
      keys: Math.max(x.keys, y.keys),
    })),
  };
}

function both<T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined {
  return a === undefined ? b : b === undefined ? a : join(a, b);
}

function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...new Set([...a, ...b])];
}

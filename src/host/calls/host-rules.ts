/**
 * Rules for what a driver may record: not the host's own addresses and links, and no routes that take all of a sandbox's
 * traffic past its gateway. Each error names the value.
 */
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { DriverError } from "../../driverapi/errors.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";
import type { NetworkSnapshot } from "../../permissions/netlink/backend.js";
import { contains, networkOf } from "../../permissions/netlink/cidr.js";

/** The host's network, as far as the rules need it. */
export interface HostView {
  /**
   * Refreshes the view; await it before the other methods. Undefined: the last view is recent enough. Rejects when the
   * network cannot be read.
   */
  refresh(): Promise<void> | undefined;
  /** The host's own addresses, canonical, without prefix length. */
  addresses(): ReadonlySet<string>;
  /** Names of the links in the host's network namespace. */
  links(): ReadonlySet<string>;
}

/** How long a view of the host stays valid, in milliseconds. */
const VIEW_MS = 1000;

/** Where a host's kernel permissions take effect, as far as these rules need it. */
export interface NetworkSource {
  readonly kind: "kernel" | "model";
  readonly backend: { readSnapshot(): NetworkSnapshot | Promise<NetworkSnapshot> };
}

/**
 * Returns the view of the namespace that the platform named, else of the machine itself, to which a model's links are added.
 * The kernel is read at most once a second, a model on every refresh.
 */
export function hostView(source: NetworkSource, netns: string | undefined): HostView {
  const machine = machineView();
  if (netns === undefined && source.kind === "kernel") return machine;
  const seen = new SnapshotCache(source);
  const refresh = (): Promise<void> | undefined => seen.refresh();
  if (netns !== undefined) return { refresh, addresses: () => seen.last.addresses, links: () => seen.last.links };
  return {
    refresh,
    addresses: () => new Set([...machine.addresses(), ...seen.last.addresses]),
    links: () => new Set([...machine.links(), ...seen.last.links]),
  };
}

/** The last snapshot of a source. Concurrent requests share one that is pending. */
class SnapshotCache {
  readonly #source: NetworkSource;
  #last: NetworkSnapshot | undefined;
  #at = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;

  constructor(source: NetworkSource) {
    this.#source = source;
  }

  get last(): NetworkSnapshot {
    if (!this.#last) throw new DriverError("ERR_NETLINK_FAILED", "the host's network has not been read yet");
    return this.#last;
  }

  refresh(): Promise<void> | undefined {
    // A snapshot of a model costs nothing.
    if (this.#source.kind === "kernel" && performance.now() - this.#at <= VIEW_MS) return undefined;
    if (this.#underWay) return this.#underWay;
    const began = performance.now();
    const keep = (seen: NetworkSnapshot): void => {
      this.#last = seen;
      this.#at = began;
    };
    const seen = this.#source.backend.readSnapshot();
    if (!(seen instanceof Promise)) {
      keep(seen);
      return undefined;
    }
    this.#underWay = seen.then(keep).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }
}

/** Returns the machine's own view, refreshed at most once a second. */
function machineView(): HostView {
  let addresses: { at: number; set: ReadonlySet<string> } | undefined;
  let links: { at: number; set: ReadonlySet<string> } | undefined;
  return {
    refresh: () => undefined,
    addresses() {
      if (!addresses || performance.now() - addresses.at > VIEW_MS) {
        const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
        addresses = { at: performance.now(), set: new Set(all.map((one) => canonical(one.address))) };
      }
      return addresses.set;
    },
    links() {
      if (!links || performance.now() - links.at > VIEW_MS)
        links = { at: performance.now(), set: new Set(readLinks()) };
      return links.set;
    },
  };
}

function readLinks(): string[] {
  try {
    return readdirSync("/sys/class/net");
  } catch {
    return Object.keys(networkInterfaces());
  }
}

function canonical(address: string): string {
  const plain = address.split("%", 1)[0] ?? "";
  return ipaddr.isValid(plain) ? ipaddr.parse(plain).toString() : plain;
}

const REFUSED_RANGES = new Set(["unspecified", "broadcast", "multicast", "loopback"]);

/** Returns an address's range if an endpoint may not have an address in it. For canonical IPv4 the first number decides. */
export function refusedRange(address: string): string | undefined {
  if (address.includes(":")) {
    const range = ipaddr.parse(address).range();
    return REFUSED_RANGES.has(range) ? range : undefined;
  }
  const first = Number.parseInt(address, 10);
  if (first === 0) return "unspecified";
  if (first === 127) return "loopback";
  if (first >= 224 && first <= 239) return "multicast";
  return address === "255.255.255.255" ? "broadcast" : undefined;
}

/**
 * Throws when a driver's interface has an address of the host, or one that an endpoint may not have. With netlink, addresses
 * are bounded by the grant's `subnets`, and a MAC must be locally administered, so that it cannot pose as another machine.
 */
export function checkInterfaces(
  interfaces: readonly InterfaceData[],
  host: HostView,
  subnets: readonly string[] | undefined,
): void {
  for (const { id, mac, ipv4, ipv6 } of interfaces) {
    if (subnets !== undefined && mac !== "" && (Number.parseInt(mac.slice(0, 2), 16) & 3) !== 2)
      throw refused(`interface ${id}: ${mac} is not a unicast, locally administered MAC address`);
    for (const cidr of [ipv4, ipv6]) {
      if (cidr === "") continue;
      const address = cidr.slice(0, cidr.indexOf("/"));
      const range = refusedRange(address);
      if (range !== undefined)
        throw refused(`interface ${id}: ${cidr} is a ${range} address, which an endpoint cannot have`);
      if (subnets !== undefined && !subnets.some((one) => contains(networkOf(one), networkOf(address))))
        throw refused(`interface ${id}: ${cidr} is outside the granted subnets: ${subnets.join(", ")}`);
      if (host.addresses().has(address)) throw refused(`interface ${id}: ${cidr} is an address of the host itself`);
    }
  }
}

/** Throws when a join names a link of the host that the plugin does not own, or a default route. */
export function checkJoin({ names, staticRoutes }: JoinData, host: HostView, owns: (link: string) => boolean): void {
  for (const { id, srcName } of names) {
    if (srcName !== "" && !owns(srcName) && host.links().has(srcName)) {
      throw refused(`interface ${id}: srcName "${srcName}" is a link of the host, not one this plugin made`);
    }
  }
  for (const { destination } of staticRoutes) {
    // `0.0.0.0/1` and `128.0.0.0/1` together take precedence over a default route; `2000::/3` is the whole IPv6 Internet.
    if (/\/[0-3]$/.test(destination))
      throw refused(
        `a static route to ${destination} would take most of the traffic; call setGateway for a default route`,
      );
  }
}

function refused(message: string): DriverError {
  return new DriverError("ERR_DRIVER_REPLY", message);
}

/**
 * What a driver may not record about the machine it runs on: the host's own addresses and links, and routes that would
 * take all of a sandbox's traffic past its gateway. Each rule names the value.
 */
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { DriverError } from "../../driverapi/errors.js";
import type { InterfaceData, JoinData } from "../../driverapi/types.js";
import type { Glance } from "../../permissions/netlink/backend.js";
import { contains, networkOf } from "../../permissions/netlink/cidr.js";

/** The host as the rules need to see it. */
export interface HostView {
  /** To be waited for before the others are asked; undefined: what was seen last is new enough. Rejects when nothing can be seen. */
  look(): Promise<void> | undefined;
  /** The host's own addresses, canonical, without prefix. */
  addresses(): ReadonlySet<string>;
  /** Names of the links in the host's network namespace. */
  links(): ReadonlySet<string>;
}

/** How long a look at the host serves, in milliseconds. */
const FRESH = 1000;

/** Where a host's kernel permissions work, as far as these rules look at it. */
export interface WorkPlace {
  readonly kind: "kernel" | "model";
  readonly backend: { glance(): Glance | Promise<Glance> };
}

/**
 * What stands where sandboxes are wired up: in the namespace that the platform named, else on the machine itself, to which a
 * model's links come. Looked at again at most once a second.
 */
export function hostView(place: WorkPlace, netns: string | undefined): HostView {
  const machine = machineView();
  if (netns === undefined && place.kind === "kernel") return machine;
  const seen = new Glances(place);
  const look = (): Promise<void> | undefined => seen.look();
  if (netns !== undefined) return { look, addresses: () => seen.last.addresses, links: () => seen.last.links };
  return {
    look,
    addresses: () => new Set([...machine.addresses(), ...seen.last.addresses]),
    links: () => new Set([...machine.links(), ...seen.last.links]),
  };
}

/** The last glance at a place. Who wants one while one is under way waits for that. */
class Glances {
  readonly #place: WorkPlace;
  #last: Glance | undefined;
  #at = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;

  constructor(place: WorkPlace) {
    this.#place = place;
  }

  get last(): Glance {
    if (!this.#last) throw new DriverError("ERR_NETLINK_FAILED", "the host's network has not been looked at yet");
    return this.#last;
  }

  look(): Promise<void> | undefined {
    // A look at a model costs nothing.
    if (this.#place.kind === "kernel" && performance.now() - this.#at <= FRESH) return undefined;
    if (this.#underWay) return this.#underWay;
    const began = performance.now();
    const keep = (seen: Glance): void => {
      this.#last = seen;
      this.#at = began;
    };
    const seen = this.#place.backend.glance();
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

/** The machine's own view, looked at again at most once a second. */
function machineView(): HostView {
  let addresses: { at: number; set: ReadonlySet<string> } | undefined;
  let links: { at: number; set: ReadonlySet<string> } | undefined;
  return {
    look: () => undefined,
    addresses() {
      if (!addresses || performance.now() - addresses.at > FRESH) {
        const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
        addresses = { at: performance.now(), set: new Set(all.map((one) => canonical(one.address))) };
      }
      return addresses.set;
    },
    links() {
      if (!links || performance.now() - links.at > FRESH) links = { at: performance.now(), set: new Set(readLinks()) };
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

/** The range of an address, if no endpoint can have one of it. Of IPv4 in its canonical form the first number tells. */
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
 * Throws when an interface a driver filled in would take the host's address, or one that no endpoint can have. What a driver
 * with netlink fills in is put on its links when a sandbox is attached: `subnets`, its grant's, bound that too, and its MAC
 * addresses are unicast and locally administered, so that on a card's network it answers for nobody else.
 */
export function checkInterfaces(
  interfaces: readonly InterfaceData[],
  host: HostView,
  subnets: readonly string[] | undefined,
): void {
  for (const { id, mac, ipv4, ipv6 } of interfaces) {
    if (subnets !== undefined && mac !== "" && (Number.parseInt(mac.slice(0, 2), 16) & 3) !== 2)
      throw refused(`interface ${id}: ${mac} is no unicast, locally administered MAC address`);
    for (const cidr of [ipv4, ipv6]) {
      if (cidr === "") continue;
      const address = cidr.slice(0, cidr.indexOf("/"));
      const range = refusedRange(address);
      if (range !== undefined)
        throw refused(`interface ${id}: ${cidr} is a ${range} address, which no endpoint can have`);
      if (subnets !== undefined && !subnets.some((one) => contains(networkOf(one), networkOf(address))))
        throw refused(`interface ${id}: ${cidr} lies in none of the subnets granted: ${subnets.join(", ")}`);
      if (host.addresses().has(address)) throw refused(`interface ${id}: ${cidr} is an address of the host itself`);
    }
  }
}

/** Throws when a join names a link of the host that is not the plugin's own, or a default route. */
export function checkJoin({ names, staticRoutes }: JoinData, host: HostView, owns: (link: string) => boolean): void {
  for (const { id, srcName } of names) {
    if (srcName !== "" && !owns(srcName) && host.links().has(srcName)) {
      throw refused(`interface ${id}: srcName "${srcName}" is a link of the host, not one this plugin made`);
    }
  }
  for (const { destination } of staticRoutes) {
    // Two halves make a whole: `0.0.0.0/1` and `128.0.0.0/1` go before any default route; and `2000::/3` is all of the IPv6 Internet.
    if (/\/[0-3]$/.test(destination))
      throw refused(
        `a static route to ${destination} takes all traffic or a good part of it; a default route is set with setGateway`,
      );
  }
}

function refused(message: string): DriverError {
  return new DriverError("ERR_DRIVER_REPLY", message);
}

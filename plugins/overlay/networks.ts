/** The driver's state: networks, this host's prefixes of them, and their endpoints. */
import { fail, quote } from "bulkhead/plugin";
import {
  type CIDR,
  type EndpointAddresses,
  formatAddress,
  formatCIDR,
  Pool,
  parseCIDR,
  parseSubnet,
} from "bulkhead/plugin/addressing";
import type { SharedNetwork, SharedSubnet } from "./documents.ts";

export interface Endpoint extends EndpointAddresses {
  /** The interface's id. */
  readonly id: number;
  /** The veth's end on the bridge, and its end for the sandbox. */
  readonly link: string;
  readonly peer: string;
  readonly mac: string;
}

/** A host's part of a subnet. */
export interface Prefix {
  readonly family: CIDR["family"];
  /** CIDR form: `10.64.3.0/24`. */
  readonly text: string;
  /** Its first address, which the host's vxlan has: `10.64.3.0`. */
  readonly own: string;
  /** The whole subnet. */
  readonly network: string;
}

/** A network on this host. */
export interface Network {
  readonly nid: string;
  /** Its name on all hosts. */
  readonly name: string;
  readonly internal: boolean;
  bridge: string;
  tunnel: string;
  /** The MAC address of this host's vxlan. */
  mac: string;
  /** Its shared value as last known, and that value's revision; undefined until this host has entered. */
  shared: SharedNetwork | undefined;
  revision: number;
  pools: readonly Pool[];
  /** Why this host has no prefix any more; undefined while it has. */
  lost: string | undefined;
  /** True if a remote host could not be set and must be tried again. */
  incomplete: boolean;
  /** Settles when all work queued on it has ended (a mutex). */
  turn: Promise<void>;
  readonly endpoints: Map<string, Endpoint>;
}

/** Returns a network that this host has not entered yet. */
export function newNetwork(nid: string, name: string, internal: boolean): Network {
  return {
    nid,
    name,
    internal,
    bridge: "",
    tunnel: "",
    mac: "",
    shared: undefined,
    revision: 0,
    pools: [],
    lost: undefined,
    incomplete: false,
    turn: Promise.resolve(),
    endpoints: new Map(),
  };
}

/** Returns a host's prefixes in a network. Throws if the host is not in it, so that it never uses another host's prefixes. */
export function ownPrefixes({ subnets, hosts }: SharedNetwork, host: string): readonly Prefix[] {
  const self = hosts[host] ?? fail("Internal", `host ${quote(host)} is not in the network`);
  return prefixesOf(subnets, self.n);
}

/** Returns the prefixes of the host with number `n`. */
export function prefixesOf(subnets: readonly SharedSubnet[], n: number): readonly Prefix[] {
  return subnets.flatMap(({ text, length }) => {
    const subnet = parseCIDR(text);
    if (!subnet) return [];
    const { family } = subnet;
    const bits = subnet.bits + (BigInt(n) << BigInt((family === 4 ? 32 : 128) - length));
    return [
      {
        family,
        text: formatCIDR({ family, bits, prefix: length }),
        own: formatAddress({ family, bits }),
        network: text,
      },
    ];
  });
}

/** Returns the pools of a host's prefixes; the gateway of each is its second address. */
export function poolsOf(prefixes: readonly Prefix[]): readonly Pool[] {
  return prefixes.map(({ text }) => new Pool(parseSubnet(text)));
}

/** Runs work on a network after all earlier work on it has ended; settles as the work does. */
export function inTurn<T>(network: Network, work: () => Promise<T>): Promise<T> {
  const result = network.turn.then(work);
  network.turn = result.then(
    () => {},
    () => {},
  );
  return result;
}

/** What `why` knows: the host's records of the ends, and what the kernel shows of them. Plain data, read by `inspect.ts`. */
import type { CallInFlight, Endpoint, Network, PluginDetails, Port } from "../control/types.js";
import type { NetworkFacts } from "../doctor/network/facts.js";

/** A link as `ip` shows it in one namespace. */
export interface Link {
  readonly name: string;
  readonly ifindex: number;
  /** Switched on (`UP`). */
  readonly up: boolean;
  /** It has a carrier: the other end is up too. */
  readonly carrier: boolean;
  readonly kind: string | undefined;
  readonly master: string | undefined;
  /** Index of the other end of a veth pair, or of the link below, in another namespace. */
  readonly peer: number | undefined;
  readonly mac: string;
  /** Written by the host: names the plugin and the link's first name. */
  readonly alias: string;
  /** Plain, canonical. */
  readonly addresses: readonly string[];
}

/** One network namespace. */
export interface Space {
  /** For people: a path, or "the host". */
  readonly name: string;
  readonly links: readonly Link[];
  /** Why it could not be read; undefined: it was. */
  readonly problem: string | undefined;
}

/** One end that the host has recorded. */
export interface End {
  readonly endpoint: Endpoint;
  readonly network: Network;
  readonly plugin: PluginDetails;
  /** Calls of its plugin that are in progress. */
  readonly calls: readonly CallInFlight[];
  /** Its sandbox; undefined: it is not joined. */
  readonly space: Space | undefined;
  /** The kernel's answer, in the sandbox, for each address that was asked: undefined if it has a route, else its words. */
  readonly routes: ReadonlyMap<string, string | undefined>;
}

/** What packets are to reach. */
export interface Target {
  /** Plain; empty: none, only `from` is looked at. */
  readonly addresses: readonly string[];
  /** The endpoint that has them; undefined: an address outside. */
  readonly end: End | undefined;
  readonly port: number | undefined;
}

export interface WhyFacts {
  readonly from: End;
  readonly to: Target | undefined;
  /** The namespace in which the host makes links. */
  readonly home: Space;
  /** False: the host works on a model, which moves no packets. */
  readonly kernel: boolean;
  /** The machine's firewalls and switches. */
  readonly machine: NetworkFacts;
  readonly published: readonly Port[];
  /** Bridges that the firewall closes to the outside. */
  readonly internal: ReadonlySet<string>;
  /** Wall-clock milliseconds at which this was read. */
  readonly now: number;
}

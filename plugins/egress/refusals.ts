/** Counts what a network's containers were refused, names and packets, per client, and writes some of it to the log. */
import type { RefusedFlow } from "bulkhead/plugin";
import { EGRESS } from "./limits.ts";

/** A refused name. */
export interface RefusedName {
  readonly name: string;
  readonly why: string;
}

/** Where refused packets were sent. */
export interface RefusedPackets {
  readonly to: string;
  /** `tcp`, `udp`, `icmp`, `ipv6-icmp`, or a number. */
  readonly protocol: string;
  /** 0 for a protocol without ports. */
  readonly port: number;
  /** A lower bound. */
  readonly packets: number;
  /** A listed name that led there lately. */
  readonly name?: string;
}

export type Refusal = RefusedName | RefusedPackets;

/** What a client was refused. */
export interface Refused {
  readonly names: number;
  readonly lastName?: RefusedName;
  readonly packets: number;
  /** The latest first. */
  readonly lastPackets: readonly RefusedPackets[];
}

interface Client {
  names: number;
  lastName?: RefusedName;
  packets: number;
  lastPackets: readonly RefusedPackets[];
}

export class Refusals {
  readonly #now: () => number;
  readonly #log: ((client: string, refusal: Refusal) => void) | undefined;
  readonly #clients = new Map<string, Client>();
  /** Names by the address that they led to. */
  readonly #names = new Map<string, string>();
  /** The packets of each flow as it was last listed. */
  #seen: ReadonlyMap<string, number> = new Map();
  #second = 0;
  #lines = 0;

  /** `log`: undefined if nothing is to be logged. */
  constructor(now: () => number, log: ((client: string, refusal: Refusal) => void) | undefined) {
    this.#now = now;
    this.#log = log;
  }

  get logs(): boolean {
    return this.#log !== undefined;
  }

  addName(from: string, refusal: RefusedName): void {
    const client = this.#client(from);
    client.names++;
    client.lastName = refusal;
    this.#tell(from, refusal);
  }

  /** Notes that a name led to an address; refused packets to that address are shown with the name. */
  ledTo(address: string, name: string): void {
    put(this.#names, address, name, EGRESS.cache);
  }

  /** Takes what the firewall lists of this network, the latest flow first. */
  addPackets(flows: readonly RefusedFlow[]): void {
    const seen = new Map<string, number>();
    for (const { from, to, protocol, port, packets } of flows.toReversed()) {
      const key = `${from} ${to} ${protocol} ${port}`;
      seen.set(key, packets);
      const before = this.#seen.get(key) ?? 0;
      // A table that was written again counts from the beginning.
      const more = packets >= before ? packets - before : packets;
      if (more === 0) continue;
      const name = this.#names.get(to);
      const refusal = { to, protocol, port, packets: more, ...(name === undefined ? {} : { name }) };
      const client = this.#client(from);
      client.packets += more;
      const others = client.lastPackets.filter(
        (one) => one.to !== to || one.protocol !== protocol || one.port !== port,
      );
      client.lastPackets = [{ ...refusal, packets }, ...others].slice(0, EGRESS.refusedFlows);
      this.#tell(from, refusal);
    }
    this.#seen = seen;
  }

  /** Returns what a client's addresses were refused. */
  of(ips: readonly string[]): Refused {
    const clients = ips.flatMap((ip) => this.#clients.get(ip) ?? []);
    const lastName = clients.findLast((one) => one.lastName !== undefined)?.lastName;
    return {
      names: clients.reduce((sum, { names }) => sum + names, 0),
      packets: clients.reduce((sum, { packets }) => sum + packets, 0),
      lastPackets: clients.flatMap(({ lastPackets }) => lastPackets),
      ...(lastName ? { lastName } : {}),
    };
  }

  forget(ips: readonly string[]): void {
    for (const ip of ips) this.#clients.delete(ip);
  }

  #client(from: string): Client {
    const client = this.#clients.get(from) ?? { names: 0, packets: 0, lastPackets: [] };
    put(this.#clients, from, client, EGRESS.refusals);
    return client;
  }

  #tell(from: string, refusal: Refusal): void {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) [this.#second, this.#lines] = [second, 0];
    if (this.#lines++ < EGRESS.logLines) this.#log?.(from, refusal);
  }
}

/** Puts an entry last; if the map is full, evicts the first. */
function put<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size >= most) map.delete(oldest);
  map.set(key, value);
}

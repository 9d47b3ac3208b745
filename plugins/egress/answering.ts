/** Answers one network's name queries: refuses names that are not listed; allows the addresses of listed ones before it answers. */
import type { FirewallPower, NameAnswer, NameQuery, ResolverPower } from "bulkhead/plugin";
import { together } from "bulkhead/plugin/addressing";
import type { AllowList, Ports } from "./allow-list.ts";
import { Cache, type Found } from "./cache.ts";
import { EGRESS } from "./limits.ts";
import { lookUp } from "./look-up.ts";
import { type AddressType, type Query, RCODE, type Rcode, readQuery, writeAnswer, writeProblem } from "./message.ts";
import { isPublic } from "./rebinding.ts";
import type { Refusals } from "./refusals.ts";
import { Turns } from "./turns.ts";

export interface AnsweringOptions {
  readonly resolver: ResolverPower;
  readonly firewall: FirewallPower;
  readonly bridge: string;
  readonly list: AllowList;
  readonly refusals: Refusals;
  /** The code of an answer that refuses a name. */
  readonly refuse: Rcode;
  /** The families that the network has. */
  readonly families: ReadonlySet<4 | 6>;
  /** In milliseconds. */
  now(): number;
}

const FAMILY = { A: 4, AAAA: 6 } as const;
const TCP_BYTES = 65_535;

/** What a query's answer says. */
interface Said extends Pick<Found, "rcode" | "records"> {
  /** For how long it would be said again, word for word, in milliseconds; 0 for what must be counted each time. */
  readonly keepMs: number;
}

/** The result for a name whose turn did not come. It is not cached. */
const NOT_LOOKED_UP: Found = { rcode: RCODE.failed, records: [], until: 0 };

export class Answering {
  readonly #options: AnsweringOptions;
  readonly #cache: Cache;
  readonly #turns = new Turns(EGRESS.lookUps);
  /** Look-ups under way, and those that wait, by name and type. */
  readonly #underWay = new Map<string, Promise<Found>>();
  /** The time until which an address and port are certainly allowed, in milliseconds, by `keyOf`. */
  readonly #allowed = new Map<string, number>();
  /** The same for all addresses and ports of what was found. */
  readonly #covered = new WeakMap<Found, number>();

  constructor(options: AnsweringOptions) {
    this.#options = options;
    this.#cache = new Cache(options.now, EGRESS.cache);
  }

  /** Answers a query; undefined for one that gets no answer. Never rejects. */
  async answer({ message, from, tcp }: NameQuery): Promise<NameAnswer> {
    const query = readQuery(message);
    if ("problem" in query) return query.problem === undefined ? undefined : writeProblem(query.id, query.problem);
    const room = tcp ? TCP_BYTES : query.room;
    try {
      const { rcode, records, keepMs } = await this.#found(query, from);
      return { message: writeAnswer(query, rcode, records, room), keepMs };
    } catch {
      // The firewall did not allow the addresses, so the client could not reach what the answer names.
      return writeAnswer(query, RCODE.failed, [], room);
    }
  }

  async #found({ name, type }: Query, from: string): Promise<Said> {
    const { list, families } = this.#options;
    const ports = list.portsOf(name);
    if (ports.length === 0) return this.#refused(from, name, "not listed");
    // Of a listed name's records, only addresses are returned, and only of families that the network has.
    if ((type !== "A" && type !== "AAAA") || !families.has(FAMILY[type]))
      return { rcode: RCODE.ok, records: [], keepMs: EGRESS.keepMs };
    const found = await this.#lookUp(name, type);
    const { rcode, records, wrong, until } = found;
    if (wrong !== undefined) return this.#refused(from, name, `its address ${wrong} is not public, and not listed`);
    const addresses = records.filter((one) => one.type !== "CNAME").map((one) => one.data);
    for (const address of addresses) this.#options.refusals.ledTo(address, name);
    if (addresses.length > 0) await this.#allow(found, addresses, ports);
    const leftMs = Math.max(0, until - this.#options.now());
    const ttl = Math.floor(leftMs / 1000);
    // The next second has another TTL. Without a record, nothing changes before the end.
    const keepMs = records.length > 0 ? leftMs - ttl * 1000 : Math.min(leftMs, EGRESS.keepMs);
    return { rcode, records: records.map((one) => ({ ...one, ttl })), keepMs };
  }

  #refused(from: string, name: string, why: string): Said {
    this.#options.refusals.addName(from, { name, why });
    return { rcode: this.#options.refuse, records: [], keepMs: 0 };
  }

  async #lookUp(name: string, type: AddressType): Promise<Found> {
    const key = `${name} ${type}`;
    const known = this.#cache.get(key) ?? this.#underWay.get(key);
    if (known) return known;
    // One network must not use up the quota of look-ups that all networks share.
    if (this.#turns.waiting >= EGRESS.waiting) return NOT_LOOKED_UP;
    const since = this.#options.now();
    const looking = this.#turns.run(async () =>
      this.#options.now() - since > EGRESS.waitMs
        ? NOT_LOOKED_UP
        : this.#judged(await lookUp(this.#options, name, type)),
    );
    this.#underWay.set(key, looking);
    try {
      const found = await looking;
      if (found !== NOT_LOOKED_UP) this.#cache.put(key, found);
      // Even a result with TTL 0 is valid for the queries that waited for it.
      return found;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** Leaves out the addresses that a name must not lead to; without any other, the aliases too. */
  #judged(found: Found): Found {
    const { list } = this.#options;
    const usable = found.records.filter((one) => one.type === "CNAME" || list.lists(one.data) || isPublic(one.data));
    if (usable.some((one) => one.type !== "CNAME")) return { ...found, records: usable };
    const [wrong] = found.records.filter((one) => one.type !== "CNAME");
    return { ...found, records: [], ...(wrong ? { wrong: wrong.data } : {}) };
  }

  /** Allows a name's addresses at all of its ports, for its TTL at least; resolves when the kernel has them. */
  async #allow(found: Found, ips: readonly string[], ports: readonly Ports[]): Promise<void> {
    const { firewall, bridge, now } = this.#options;
    const kept = Math.min(EGRESS.keepMs, Math.max(0, found.until - now()));
    const needed = Math.max(found.until, now() + kept + EGRESS.floorSeconds * 1000);
    if ((this.#covered.get(found) ?? 0) >= needed) return;
    // Asked for longer than needed, so that the answers of the next seconds, also the cache's last ones, need not ask again.
    const until = needed + EGRESS.floorSeconds * 1000;
    const seconds = Math.ceil((until - now()) / 1000);
    const specs = ips.flatMap((to) =>
      ports.flatMap(({ protocol, port, lastPort }) =>
        Array.from({ length: lastPort - port + 1 }, (_, at) => ({
          bridge,
          to,
          protocol,
          port: port + at,
          seconds,
        })),
      ),
    );
    // Ports may overlap, and a reply may name an address twice.
    const missing = new Map(
      specs.map((spec) => [keyOf(spec), spec] as const).filter(([key]) => (this.#allowed.get(key) ?? 0) < needed),
    );
    await together([...missing.values()].map((spec) => firewall.allow(spec)));
    if (this.#allowed.size > EGRESS.cache) this.#allowed.clear();
    for (const key of missing.keys()) this.#allowed.set(key, until);
    this.#covered.set(found, Math.min(...specs.map((spec) => this.#allowed.get(keyOf(spec)) ?? 0)));
  }
}

function keyOf({
  to,
  protocol,
  port,
}: {
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}): string {
  return `${to} ${protocol} ${port}`;
}

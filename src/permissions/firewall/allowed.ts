/** Allowed addresses with a time to live. They are kept in memory, since each ends by itself in the kernel too. */
import { quote } from "../../common/quote.js";
import { FIREWALL } from "./limits.js";
import { type AllowSpec, type FirewallRule, isSix, keyOf } from "./rule.js";

/** An allowed address as it is programmed: the kernel drops it after `seconds`. */
export interface TimedAllow extends Pick<AllowSpec, "bridge" | "to" | "protocol" | "port"> {
  readonly seconds: number;
}

/** A rule `allow` with a time to live. */
export type TimedRule = Extract<FirewallRule, { readonly kind: "allow" }> & { readonly seconds: number };

interface Entry extends TimedAllow {
  readonly plugin: string;
  /** When it ends, in monotonic milliseconds. */
  readonly until: number;
}

export function isTimed(rule: FirewallRule): rule is TimedRule {
  return rule.kind === "allow" && rule.seconds !== undefined;
}

export class AllowedAddresses {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  /** How many entries there are, per plugin and family, and per bridge and family. */
  readonly #counts = new Map<string, number>();
  #sweptAt = 0;

  /** `now`: in monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns true if the rule is in force for as long as it asks. */
  covers(plugin: string, rule: TimedRule): boolean {
    const entry = this.#entries.get(keyIn(plugin, rule));
    return entry !== undefined && entry.until >= this.#now() + rule.seconds * 1000;
  }

  /**
   * Returns in words which bound one more address would pass; undefined if there is room. `added`: how many of the plugin's are to be put
   * before it.
   */
  obstacle(plugin: string, rule: TimedRule, added: number): string | undefined {
    this.#sweep();
    if (this.#entries.has(keyIn(plugin, rule))) return undefined;
    const [all, ofBridge] = countersOf({ plugin, ...rule }).map((counter) => (this.#counts.get(counter) ?? 0) + added);
    if ((ofBridge ?? 0) >= FIREWALL.allowedPerBridge)
      return `${FIREWALL.allowedPerBridge} addresses are allowed for ${quote(rule.bridge)}`;
    if ((all ?? 0) >= FIREWALL.allowedPerTable)
      return `${FIREWALL.allowedPerTable} addresses are allowed for all bridges of the plugin`;
    return undefined;
  }

  /**
   * Puts rules in force, with some slack, so that an answer used to its last second is still allowed. Returns what to program: of rules
   * with the same key, the longest, since the kernel refuses an element that it gets twice.
   */
  put(plugin: string, rules: readonly TimedRule[]): readonly TimedAllow[] {
    const longest = new Map<string, TimedRule>();
    for (const rule of rules) {
      const key = keyIn(plugin, rule);
      if (rule.seconds > (longest.get(key)?.seconds ?? 0)) longest.set(key, rule);
    }
    return [...longest].map(([key, { bridge, to, protocol, port, seconds: asked }]) => {
      const seconds = asked + FIREWALL.slackSeconds;
      const timed = { bridge, to, protocol, port, seconds };
      this.#set(key, { plugin, ...timed, until: this.#now() + seconds * 1000 });
      return timed;
    });
  }

  /** Forgets addresses. Returns what undoes that; undefined if none of them was allowed. */
  drop(plugin: string, rules: readonly FirewallRule[]): (() => void) | undefined {
    const dropped = rules.flatMap((rule) => {
      const key = keyIn(plugin, rule);
      const entry = this.#entries.get(key);
      this.#delete(key);
      return entry ? [[key, entry] as const] : [];
    });
    if (dropped.length === 0) return undefined;
    return () => {
      for (const [key, entry] of dropped) this.#set(key, entry);
    };
  }

  /** Forgets the addresses of bridges that are not among `bridges`. */
  keepOnly(plugin: string, bridges: readonly string[]): void {
    for (const [key, entry] of this.#entries)
      if (entry.plugin === plugin && !bridges.includes(entry.bridge)) this.#delete(key);
  }

  /** Returns a plugin's allowed addresses with the seconds that are left to each. */
  of(plugin: string): readonly TimedAllow[] {
    const now = this.#now();
    return [...this.#entries.values()].flatMap(({ plugin: owner, until, ...timed }) =>
      owner === plugin && until > now ? [{ ...timed, seconds: Math.ceil((until - now) / 1000) }] : [],
    );
  }

  #sweep(): void {
    const now = this.#now();
    if (now - this.#sweptAt < FIREWALL.sweepMs) return;
    this.#sweptAt = now;
    for (const [key, { until }] of this.#entries) if (until <= now) this.#delete(key);
  }

  #set(key: string, entry: Entry): void {
    this.#delete(key);
    this.#entries.set(key, entry);
    this.#count(entry, 1);
  }

  #delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry) this.#count(entry, -1);
    this.#entries.delete(key);
  }

  #count(entry: Entry, by: 1 | -1): void {
    for (const counter of countersOf(entry)) {
      const count = (this.#counts.get(counter) ?? 0) + by;
      if (count > 0) this.#counts.set(counter, count);
      else this.#counts.delete(counter);
    }
  }
}

/** Returns the keys under which an entry is counted: its plugin's, and its bridge's. */
function countersOf({ plugin, bridge, to }: Pick<Entry, "plugin" | "bridge" | "to">): readonly string[] {
  const family = isSix(to) ? 6 : 4;
  return [`${plugin} ${family}`, `${plugin} ${family} ${bridge}`];
}

function keyIn(plugin: string, rule: FirewallRule): string {
  return `${plugin} ${keyOf(rule)}`;
}

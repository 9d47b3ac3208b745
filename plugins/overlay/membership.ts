/** This host's membership of networks: enters one with links, rules and remote hosts, follows its shared value, and leaves it. */
import { type CallContext, fail, type LinkInfo, quote } from "bulkhead/plugin";
import { type BridgeLinks, macFor } from "bulkhead/plugin/addressing";
import type { Applicant, Wish } from "./allocation.ts";
import type { SharedNetwork } from "./documents.ts";
import { OVERLAY } from "./limits.ts";
import type { NetworkRules } from "./network-rules.ts";
import { type Network, ownPrefixes, poolsOf } from "./networks.ts";
import type { Config } from "./options.ts";
import type { Kept, Records } from "./records.ts";
import type { Claimed, Seen, SharedNetworks } from "./shared.ts";
import { remotesOf, type Tunnels } from "./tunnel.ts";

/** What it is made of. */
export interface Parts {
  readonly shared: SharedNetworks;
  readonly records: Records;
  readonly bridges: BridgeLinks;
  readonly tunnels: Tunnels;
  readonly rules: NetworkRules;
  randomMac(): string;
  log(level: "info" | "warn" | "error", words: string, fields: Readonly<Record<string, string>>): void;
}

export class Membership {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Enters a network, all or nothing: claims it, makes its vxlan, which determines the MTU, takes a prefix, and makes the rest. */
  async enter(on: Network, wish: Wish, self: Config, ctx: CallContext): Promise<void> {
    const { shared, records, tunnels, bridges } = this.#parts;
    for (let attempt = 0; attempt < OVERLAY.attempts; attempt++) {
      ctx.signal.throwIfAborted();
      const claimed = await shared.claim(wish, self.firstVni);
      const kept = this.#keptOf(on, self, claimed);
      on.mac = kept.mac;
      await records.put(kept);
      let link: LinkInfo | undefined;
      let seen: Seen | undefined;
      try {
        link = await tunnels.make(specOf(on, kept));
        seen = await shared.enter(wish, claimed, this.#applicant(on, self), link.mtu);
      } catch (error) {
        if (link) await bridges.remove(on.tunnel);
        await this.#unclaim(on, claimed);
        throw error;
      }
      if (seen === undefined) {
        await bridges.remove(on.tunnel);
        continue;
      }
      try {
        this.#take(on, seen, self);
        await records.put({ ...kept, shared: seen.network });
        await this.#realise(on, link, self, ctx);
      } catch (error) {
        await this.leave(on, self.host);
        throw error;
      }
      return;
    }
    fail("NoService", `network ${quote(on.name)} was made and deleted by other hosts meanwhile: try again`);
  }

  /** Restores a network after a restart, from this host's own records: the shared store may be out of reach. */
  async restore(on: Network, kept: Kept, self: Config, ctx: CallContext): Promise<void> {
    const { tunnels, bridges, records } = this.#parts;
    if (!kept.shared) fail("Internal", `network ${quote(on.name)} was not entered before the restart`);
    on.mac = kept.mac;
    const now = { ...kept, local: self.address, parent: self.parent };
    // The operator has given this host another address or link: the tunnel is made again.
    if (now.local !== kept.local || now.parent !== kept.parent) await bridges.remove(on.tunnel);
    await records.put(now);
    this.#take(on, { network: kept.shared, revision: 0 }, self);
    await this.#realise(on, await tunnels.make(specOf(on, now)), self, ctx);
  }

  /** Leaves a network. If the shared store does not answer, the prefix is given back once it does. */
  async leave(on: Network, host: string): Promise<void> {
    const { rules, bridges, records } = this.#parts;
    // First: what comes out of a tunnel without rules would reach the machine itself.
    await bridges.remove(on.tunnel);
    if (on.bridge !== "") await rules.close(on.bridge);
    await bridges.remove(on.bridge);
    on.shared = undefined;
    await records.forget(on.nid);
    await this.giveBack(on.name, host, true);
  }

  /** Gives back the prefix and claim of a network that this host has a record of, but no state. */
  async giveBackKept({ nid, name, claim, vni, shared }: Kept, host: string): Promise<void> {
    await this.#parts.records.forget(nid);
    await this.giveBack(name, host, true);
    if (shared) return;
    await this.#parts.shared.release(name, { id: claim, vni, subnets: [], mtu: undefined }).catch(() => {});
  }

  /** Removes a host from a network in the shared store; with `own`, only if it is this machine. */
  async giveBack(name: string, host: string, own: boolean): Promise<void> {
    const { shared, records, log } = this.#parts;
    try {
      await shared.leave(name, host, own ? records.machine : undefined);
    } catch (error) {
      log("warn", "the prefix of a network could not be given back; it is tried again", {
        network: name,
        host,
        error: messageOf(error),
      });
    }
  }

  /** Applies a network's shared value, which is undefined if it no longer exists. Ignores a value older than the known one. */
  async follow(on: Network, seen: Seen | undefined, revision: number, self: Config): Promise<void> {
    const { records, log, shared } = this.#parts;
    if (on.shared === undefined || (seen?.revision ?? revision) < on.revision) return;
    const [before, after] = [on.shared.hosts[self.host], seen?.network.hosts[self.host]];
    if (seen === undefined || after?.machine !== records.machine || after.n !== before?.n) {
      if (on.lost === undefined) log("error", lostWords(on.name), { network: on.name, host: self.host });
      on.lost = lostWords(on.name);
      await this.#parts.tunnels.follow(on.tunnel, [], () => {});
      return;
    }
    if (termsOf(seen.network) !== termsOf(on.shared)) {
      log(
        "error",
        "another host has changed a network's identifier, subnets or MTU, which are fixed; the known ones are kept",
        {
          network: on.name,
        },
      );
      return;
    }
    if (on.lost === undefined && seen.revision === on.revision && !on.incomplete) {
      await this.#followRemotes(on, self);
      return;
    }
    on.lost = undefined;
    this.#take(on, seen, self);
    const kept = records.of(on.nid);
    if (kept) await records.put({ ...kept, shared: seen.network });
    await this.#followRemotes(on, self);
    if (after.address === self.address && after.mac === on.mac) return;
    const { id, vni, subnets, mtu } = seen.network;
    const wish = { name: on.name, subnets: [], mtu: undefined };
    await shared.enter(wish, { id, vni, subnets, mtu }, this.#applicant(on, self), mtu);
  }

  #take(on: Network, { network, revision }: Seen, { host }: Config): void {
    const known = on.shared !== undefined;
    on.shared = network;
    on.revision = revision;
    // The pools have the endpoints' addresses: a host's prefixes never change while it is in a network.
    if (!known) on.pools = poolsOf(ownPrefixes(network, host));
  }

  async #realise(on: Network, link: LinkInfo, self: Config, ctx: CallContext): Promise<void> {
    const { bridges, tunnels, rules } = this.#parts;
    const entered = on.shared ?? fail("Internal", "the network has not been entered");
    const { mtu } = entered;
    const prefixes = ownPrefixes(entered, self.host);
    const addresses = on.pools.map((pool) => pool.gatewayCIDR);
    const mac = macFor(addresses.find((one) => !one.includes(":")) ?? "", on.nid);
    await bridges.makeBridge({ name: on.bridge, mtu, mac, addresses }, ctx);
    await rules.open(on, prefixes);
    // Last: what comes out of a tunnel without rules would reach the machine itself.
    await tunnels.open(link, prefixes, mtu);
    await this.#followRemotes(on, self);
  }

  async #followRemotes(on: Network, self: Config): Promise<void> {
    const { tunnels, log } = this.#parts;
    if (on.shared === undefined) return;
    on.incomplete = false;
    await tunnels.follow(on.tunnel, remotesOf(on.shared, self.host), (remote, error) => {
      on.incomplete = true;
      log("error", "a remote host of a network could not be set, so it is not reached; it is tried again", {
        network: on.name,
        address: remote.host,
        error: messageOf(error),
      });
    });
  }

  async #unclaim(on: Network, claimed: Claimed): Promise<void> {
    const { shared, records } = this.#parts;
    await records.forget(on.nid);
    await shared.release(on.name, claimed).catch(() => {});
  }

  #keptOf(on: Network, { address: local, parent }: Config, { vni, id }: Claimed): Kept {
    const mac = this.#parts.records.of(on.nid)?.mac ?? this.#parts.randomMac();
    return { nid: on.nid, name: on.name, mac, vni, local, parent, claim: id, shared: undefined };
  }

  #applicant({ mac }: Network, { host, address }: Config): Applicant {
    return { host, machine: this.#parts.records.machine, address, mac };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function specOf({ tunnel: name }: Network, { vni, mac, local, parent }: Kept) {
  return { name, vni, mac, local, parent };
}

/** Returns what never changes while a network exists, as text to compare. */
function termsOf({ id, vni, subnets, mtu }: SharedNetwork): string {
  return [id, vni, mtu, ...subnets.flatMap(({ text, length }) => [text, length])].join(" ");
}

function lostWords(name: string): string {
  return `the prefix of network ${quote(name)} is this host's no more, since an operator said that the host is gone, or the store was restored: delete the network here, and create it again`;
}

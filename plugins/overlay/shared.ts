/**
 * The networks that hosts share. For each change, a value is read, a pure function decides, and the result is written by compare-and-set.
 *
 * A network is two values: its claim among all claims, and its own value with the hosts. It exists if the claim is live and both have
 * the same id. A host that makes a network claims it, creates its value, and marks the claim as live; a host that enters needs a live claim.
 * The last host deletes the value, then the claim. Each id has only one value ever, so a live claim without a value is left over from a
 * deleted network. A value whose id is lower than the claim's came too late, from a host whose claim was taken over, and is not a network.
 */
import { type ClusterPower, fail, type Json, quote } from "bulkhead/plugin";
import * as decide from "./allocation.ts";
import { CLAIMS, type Claim, type Claims, NETWORKS, readClaims, readNetwork, type SharedNetwork } from "./documents.ts";
import { OVERLAY } from "./limits.ts";

/** What is used of `powers.cluster`. */
export type SharedStore = Pick<ClusterPower, "get" | "create" | "compareAndSet" | "delete">;

/** A network as of a revision. */
export interface Seen {
  readonly network: SharedNetwork;
  readonly revision: number;
}

/** A claim that a host enters a network with. */
export interface Claimed extends Claim {
  /** The network's MTU; undefined if this host is about to make the network. */
  readonly mtu: number | undefined;
}

interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
  readonly revision: number;
}

export class SharedNetworks {
  readonly #store: SharedStore;
  readonly #pause: () => Promise<void>;

  /** `pause` waits a little for another host to finish. */
  constructor(store: SharedStore, pause: () => Promise<void>) {
    this.#store = store;
    this.#pause = pause;
  }

  /** Returns the claim of an existing network, or claims a new one. Throws what {@link decide.claim} throws, and NoService. */
  async claim(wish: decide.Wish, firstVni: number): Promise<Claimed> {
    const { name } = wish;
    await this.#otherMakers(name);
    for (let attempt = 0; attempt < OVERLAY.attempts; attempt++) {
      const { after } = await this.#claims((claims) => decide.claim(claims ?? decide.NO_CLAIMS, wish, firstVni));
      const there = after?.networks[name];
      if (!there) return fail("Internal", `network ${quote(name)} was not claimed`);
      const { live, ...claimed } = there;
      if (!live) return { ...claimed, mtu: undefined };
      const seen = await this.#read(networkKey(name), readNetwork);
      if (seen?.value.id === there.id) {
        if (seen.value.vni === there.vni && sameSubnets(seen.value, there)) return { ...claimed, mtu: seen.value.mtu };
        fail(
          "Internal",
          `the shared value ${quote(networkKey(name))} is damaged (its identifier or subnets are not those of its claim): nothing is changed; repair or delete it in the store`,
        );
      }
      if (seen === undefined) await this.#claims((claims) => claims && decide.release(claims, name, there.id));
      else if (seen.value.id < there.id) await this.#write(networkKey(name), seen.revision, undefined);
    }
    return overtaken(networkKey(name));
  }

  /** Gives back a claim with which this host has not made a network. */
  async release(name: string, { id, mtu }: Claimed): Promise<void> {
    if (mtu === undefined) await this.#claims((claims) => claims && decide.release(claims, name, id));
  }

  /**
   * Enters a host with its claim. Returns undefined if the claim is no longer valid, and the caller must claim again. Throws what
   * {@link decide.enter} throws, and NoService.
   */
  async enter(
    wish: decide.Wish,
    claimed: Claimed,
    applicant: decide.Applicant,
    mtu: number,
  ): Promise<Seen | undefined> {
    const { name } = wish;
    const { id, vni, subnets, mtu: has } = claimed;
    const makes = has === undefined;
    const { after, revision } = await this.#change<SharedNetwork>(networkKey(name), readNetwork, (network) => {
      const obstacle = network !== undefined && network.id !== id;
      if (obstacle) return makes && network.id < id ? undefined : network;
      return network || makes ? decide.enter(network, { id, vni, subnets }, applicant, wish, mtu) : undefined;
    });
    if (after === undefined && makes) return this.enter(wish, claimed, applicant, mtu);
    if (after === undefined || after.id !== id) return undefined;
    if (makes && !(await this.#confirmed(name, id))) {
      await this.#change<SharedNetwork>(networkKey(name), readNetwork, (network) =>
        network?.id === id ? undefined : network,
      );
      return undefined;
    }
    return { network: after, revision };
  }

  /** Removes a host from a network, and the network with its last host. `machine` undefined removes the host, whichever machine it is. */
  async leave(name: string, host: string, machine: string | undefined): Promise<void> {
    const { before, after } = await this.#change<SharedNetwork>(networkKey(name), readNetwork, (network) => {
      const left = network && decide.leave(network, host, machine);
      return left && left !== network && Object.keys(left.hosts).length === 0 ? undefined : left;
    });
    if (before !== undefined && after === undefined)
      await this.#claims((claims) => claims && decide.release(claims, name, before.id));
  }

  /** Waits for another host that is making the network. After too long it returns, and the caller takes the claim over. */
  async #otherMakers(name: string): Promise<void> {
    for (let wait = 0; wait < OVERLAY.makerWaits; wait++) {
      const claims = await this.#read(CLAIMS, readClaims);
      if (claims?.value.networks[name]?.live !== false) return;
      await this.#pause();
    }
  }

  async #confirmed(name: string, id: number): Promise<boolean> {
    const { after } = await this.#claims((claims) => claims && decide.confirm(claims, name, id));
    return after?.networks[name]?.id === id;
  }

  #claims(to: (claims: Claims | undefined) => Claims | undefined): Promise<Change<Claims>> {
    return this.#change(CLAIMS, readClaims, to);
  }

  async #read<T>(
    key: string,
    parse: (value: Json) => T,
  ): Promise<{ readonly value: T; readonly revision: number } | undefined> {
    const entry = await this.#asked(() => this.#store.get(key));
    if (entry === null) return undefined;
    try {
      return { value: parse(entry.value), revision: entry.revision };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fail(
        "Internal",
        `the shared value ${quote(key)} is damaged (${why}): nothing is changed; repair or delete it in the store`,
      );
    }
  }

  /** Asks the store; repeats a request that the rate limit refused, after a pause, since it was not sent. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; attempt < OVERLAY.attempts; attempt++) {
      try {
        return await ask();
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (code !== "ERR_CLUSTER_REFUSED" || !(error as Error).message.includes('rule "rate"')) throw error;
        await this.#pause();
      }
    }
    return ask();
  }

  /** Changes a value; `to` returns the next value, the same one for no change, or undefined to delete it. */
  async #change<T>(
    key: string,
    parse: (value: Json) => T,
    to: (value: T | undefined) => T | undefined,
  ): Promise<Change<T>> {
    let first: T | undefined;
    for (let attempt = 0; attempt < OVERLAY.attempts; attempt++) {
      const entry = await this.#read(key, parse);
      const before = entry?.value;
      first ??= before;
      const after = to(before);
      // If an earlier write of unknown outcome did happen, `before` is the value before that write.
      if (after === before) return { before: first, after, revision: entry?.revision ?? 0 };
      const revision = await this.#write(key, entry?.revision, after as Json | undefined);
      if (revision !== undefined) return { before, after, revision };
    }
    return overtaken(key);
  }

  /** Writes a value whose last write has this revision. Returns undefined if it has another one, or if the outcome is unknown. */
  async #write(key: string, revision: number | undefined, value: Json | undefined): Promise<number | undefined> {
    try {
      const store = this.#store;
      if (value === undefined) return (await this.#asked(() => store.delete(key, revision))) ? 0 : undefined;
      const written = await this.#asked(() =>
        revision === undefined ? store.create(key, value) : store.compareAndSet(key, revision, value),
      );
      return written ?? undefined;
    } catch (error) {
      // The next round reads what is there, and writes again: after that, this one has happened or never will.
      if (error instanceof Error && "code" in error && error.code === "ERR_CLUSTER_UNKNOWN") return undefined;
      throw error;
    }
  }
}

function sameSubnets(a: Claim, b: Claim): boolean {
  const text = ({ subnets }: Claim): string => subnets.map((one) => `${one.text} ${one.length}`).join();
  return text(a) === text(b);
}

function networkKey(name: string): string {
  return `${NETWORKS}${name}`;
}

function overtaken(key: string): never {
  return fail(
    "NoService",
    `the shared value ${quote(key)} was changed by other hosts ${OVERLAY.attempts} times meanwhile: try again`,
  );
}

/** Returns true for an error of the permission `cluster`. */
export function isOfStore(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_CLUSTER_");
}

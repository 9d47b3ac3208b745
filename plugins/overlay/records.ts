/** This host's records of its networks, in its own store, so that a restart needs neither another host nor the shared store. */
import { type Json, type JsonObject, quote, type RandomPower, type StorePower } from "bulkhead/plugin";
import { storeKey } from "bulkhead/plugin/addressing";
import { readNetwork, type SharedNetwork } from "./documents.ts";

/** A network that this host is in, or is about to enter. */
export interface Kept {
  readonly nid: string;
  readonly name: string;
  /** The MAC address of this host's vxlan. */
  readonly mac: string;
  /** The vxlan as it was asked for. */
  readonly vni: number;
  readonly local: string;
  readonly parent: string;
  /** The claim that it enters with. */
  readonly claim: number;
  /** The shared value as last known; undefined until this host has entered. */
  readonly shared: SharedNetwork | undefined;
}

const PREFIX = "network/";
const MACHINE = "machine";

export class Records {
  /** Identifies this machine for as long as its store exists. */
  readonly machine: string;
  readonly #store: StorePower;
  readonly #kept: Map<string, Kept>;

  private constructor(store: StorePower, machine: string, kept: Map<string, Kept>) {
    this.machine = machine;
    this.#store = store;
    this.#kept = kept;
  }

  /** Reads what earlier workers kept. Calls `damaged` for each record that cannot be read. */
  static async open(store: StorePower, random: RandomPower, damaged: (words: string) => void): Promise<Records> {
    let machine = await store.get(MACHINE);
    if (typeof machine !== "string") {
      machine = [...random.bytes(8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      await store.set(MACHINE, machine);
    }
    const kept = new Map<string, Kept>();
    for (const key of await store.keys(PREFIX)) {
      const one = readKept(await store.get(key));
      if (one) kept.set(one.nid, one);
      else damaged(`${quote(key)} of this plugin's own store cannot be read, and is not used`);
    }
    return new Records(store, machine, kept);
  }

  of(nid: string): Kept | undefined {
    return this.#kept.get(nid);
  }

  hasName(name: string): boolean {
    return [...this.#kept.values()].some((one) => one.name === name);
  }

  /** Returns a network in which this machine has another name than `host`, and that name. */
  namedOtherwise(host: string): { readonly network: string; readonly as: string } | undefined {
    for (const { name, shared } of this.#kept.values()) {
      const [as] = Object.entries(shared?.hosts ?? {}).find(([, { machine }]) => machine === this.machine) ?? [];
      if (as !== undefined && as !== host) return { network: name, as };
    }
    return undefined;
  }

  async put(one: Kept): Promise<void> {
    this.#kept.set(one.nid, one);
    await this.#store.set(keyOf(one.nid), { ...one, shared: one.shared ?? null } as unknown as Json);
  }

  async forget(nid: string): Promise<void> {
    this.#kept.delete(nid);
    await this.#store.delete(keyOf(nid));
  }
}

function keyOf(nid: string): string {
  return `${PREFIX}${storeKey(nid)}`;
}

function readKept(value: Json): Kept | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { shared = null, ...rest } = value as JsonObject;
  try {
    return { ...(rest as unknown as Kept), shared: shared === null ? undefined : readNetwork(shared) };
  } catch {
    return undefined;
  }
}

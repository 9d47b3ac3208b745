/** Netlink without a kernel: a model that gives the same results, in the same words. */

import type { ChangeMonitor } from "../../poll-scheduler.js";
import type {
  Applied,
  Failure,
  LinkView,
  LookOptions,
  NamespaceView,
  NetlinkBackend,
  NetworkSnapshot,
  Step,
  Unit,
} from "../backend.js";
import type { LinkEvents } from "../link-events.js";
import { carryOut } from "./changes.js";
import { KernelRefusal } from "./refusals.js";
import type { ModelLink, ModelNamespace, ModelWorld } from "./world.js";

export class ModelBackend implements NetlinkBackend {
  readonly kind = "model";
  readonly world: ModelWorld;
  readonly #netns: string | undefined;
  #invocations = 0;

  constructor(world: ModelWorld, netns: string | undefined) {
    this.world = world;
    this.#netns = netns;
    world.namespace(netns);
  }

  get invocations(): number {
    return this.#invocations;
  }

  async look({ counters = false }: LookOptions = {}): Promise<NamespaceView> {
    this.#invocations++;
    return viewOf(this.#space(), counters);
  }

  async apply(units: readonly Unit[]): Promise<Applied> {
    this.#invocations++;
    const seen = new Map<string, LinkView>();
    const { watchers, links } = this.#space();
    const before = watchers.size === 0 ? [] : [...links.values()].map(({ ifindex, name }) => ({ ifindex, name }));
    const failures = units.map((unit) => this.#applyUnit(unit, seen));
    const after = new Map(before.length === 0 ? [] : [...links.values()].map((link) => [link.ifindex, link.name]));
    for (const { ifindex, name } of before) {
      const now = after.get(ifindex);
      if (now === name) continue;
      for (const events of watchers) events.link(ifindex, now ?? name, now === undefined);
    }
    return { failures, seen };
  }

  async resolvers(): Promise<readonly string[]> {
    return [];
  }

  readSnapshot(): NetworkSnapshot {
    const { links } = this.#space();
    return {
      links: new Set(links.keys()),
      addresses: new Set([...links.values()].flatMap(({ addresses }) => addresses.map(({ ip }) => ip))),
    };
  }

  watch(events: LinkEvents): ChangeMonitor {
    const { watchers } = this.#space();
    watchers.add(events);
    return { alive: true, stop: async () => void watchers.delete(events) };
  }

  async close(): Promise<void> {}

  elsewhere(netns: string): NetlinkBackend {
    return new ModelBackend(this.world, netns);
  }

  #space(): ModelNamespace {
    return this.world.namespace(this.#netns);
  }

  #applyUnit(unit: Unit, seen: Map<string, LinkView>): Failure | undefined {
    const done: Step[] = [];
    for (const step of unit) {
      try {
        carryOut(step.change, this.#space(), this.world);
      } catch (error) {
        if (!(error instanceof KernelRefusal)) throw error;
        for (const { undo } of done.reverse()) if (undo) this.#quietly(undo);
        return { words: error.message };
      }
      done.push(step);
      if (step.change.op === "look") {
        const link = this.#space().links.get(step.change.name);
        if (link) seen.set(link.name, linkView(link));
      }
    }
    return undefined;
  }

  #quietly(undo: Step["change"]): void {
    try {
      carryOut(undo, this.#space(), this.world);
    } catch (error) {
      if (!(error instanceof KernelRefusal)) throw error;
    }
  }
}

/** No packet moves in a model. */
const QUIET = { rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0 };

function viewOf(space: ModelNamespace, counters: boolean): NamespaceView {
  return {
    links: new Map(
      [...space.links.values()].map((link) => [
        link.name,
        { ...linkView(link), ...(counters ? { counters: QUIET } : {}) },
      ]),
    ),
    neighbours: space.neighbours,
    forwards: space.forwards,
    routes: space.routes.map(({ destination, via, dev }) => ({
      destination,
      dev,
      via: via === undefined ? [] : [via],
    })),
  };
}

function linkView({ name, ifindex, kind, up, mtu, mac, master, alias, addresses }: ModelLink): LinkView {
  return {
    name,
    ifindex,
    up,
    mtu,
    mac,
    addresses: [...addresses],
    ...(kind === "loopback" ? {} : { kind }),
    ...(master === undefined ? {} : { master }),
    ...(alias === undefined ? {} : { alias }),
  };
}

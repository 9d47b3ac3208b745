/**
 * The overlay driver's allocation, by several hosts at once on one store: a model of what hosts were told agrees with the store after
 * every write, whatever the order of the steps, also when a host ends half-way or is not told what came of a write.
 * BULKHEAD_SEED: which orders.
 */
import fc from "fast-check";
import type { Json } from "#dist/index.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { hostOn } from "../permissions/cluster/stores.js";
import { partOf } from "./shipped.js";

const test = suite("plugins/overlay: allocation");
const SEED = process.env.BULKHEAD_SEED;

interface Wish {
  readonly name: string;
  readonly subnets: readonly { readonly text: string; readonly length: number }[];
  readonly mtu: number | undefined;
}
interface Network {
  readonly id: number;
  readonly vni: number;
  readonly mtu: number;
  readonly subnets: Wish["subnets"];
  readonly hosts: Readonly<Record<string, { readonly n: number; readonly machine: string }>>;
}
interface Claimed {
  readonly vni: number;
}
interface Shared {
  claim(wish: Wish, firstVni: number): Promise<Claimed>;
  release(name: string, claimed: Claimed): Promise<void>;
  enter(
    wish: Wish,
    claimed: Claimed,
    applicant: object,
    mtu: number,
  ): Promise<{ readonly network: Network } | undefined>;
  leave(name: string, host: string, machine: string | undefined): Promise<void>;
}
interface Store {
  get(key: string): Promise<Json>;
  create(key: string, value: Json): Promise<Json>;
  compareAndSet(key: string, revision: number, value: Json): Promise<Json>;
  delete(key: string, revision?: number): Promise<boolean>;
}
interface Part {
  readonly SharedNetworks: new (store: Store, pause: () => Promise<void>) => Shared;
}

/** A step of one host's. `ends`: after so many requests to the store, the host is gone, and forgets what it was doing. */
interface Step {
  readonly host: number;
  readonly does: "enter" | "give-up" | "leave" | "gone";
  readonly name: number;
  readonly ends: number | undefined;
}

class Ended extends Error {}

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing is there");
  return value;
}

const NAMES = ["blue", "green", "red"] as const;
/** "red" overlaps "green". */
const SUBNETS = ["10.64.0.0/16", "10.65.0.0/16", "10.65.128.0/17"] as const;
const HOSTS = 4;
/** Prefixes of a network: one fewer than hosts. */
const LENGTH: Readonly<Record<(typeof NAMES)[number], number>> = { blue: 24, green: 24, red: 18 };

const wish = (name: number): Wish => {
  const called = NAMES[name] ?? "blue";
  return { name: called, subnets: [{ text: SUBNETS[name] ?? "", length: LENGTH[called] }], mtu: undefined };
};
const machine = (host: number): string => host.toString(16).padStart(16, "0");
const applicant = (host: number): object => ({
  host: `h${host}`,
  machine: machine(host),
  address: `198.51.100.${host + 1}`,
  mac: `02:00:00:00:00:0${host}`,
});

/** The store as one host sees it; lost outcomes and the host's end are drawn from `chance`. */
function storeOf(t: TestContext, backend: MemoryClusterStore, chance: () => number, left: { requests: number }): Store {
  const { ask } = hostOn(t, { use: backend }).open("overlay", { requestsPerSecond: 1_000_000 });
  const entry = (value: Json): Json => {
    if (value === null) return null;
    const { key, text, revision } = value as { key: string; text: string; revision: number };
    return { key, value: JSON.parse(text) as Json, revision };
  };
  const turn = async (): Promise<void> => {
    // Steps of other hosts come between.
    for (let n = Math.floor(chance() * 4); n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
    if (left.requests-- <= 0) throw new Ended();
  };
  const write = async (op: string, request: Json): Promise<Json> => {
    await turn();
    const luck = chance();
    const unknown = (): Error => Object.assign(new Error("lost"), { code: "ERR_CLUSTER_UNKNOWN" });
    if (luck < 0.05) throw unknown();
    const reply = await ask(op, request);
    if (luck < 0.1) throw unknown();
    return reply;
  };
  return {
    get: async (key) => {
      await turn();
      return entry(await ask("get", { key }));
    },
    create: (key, value) => write("create", { key, value }),
    compareAndSet: (key, revision, value) => write("compareAndSet", { key, revision, value }),
    delete: async (key, revision) =>
      (await write("delete", { key, ...(revision === undefined ? {} : { revision }) })) !== null,
  };
}

interface World {
  readonly networks: ReadonlyMap<string, Network>;
  readonly claims: Readonly<Record<string, { readonly id: number; readonly vni: number; readonly live: boolean }>>;
}

async function read(backend: MemoryClusterStore): Promise<World> {
  const { entries } = await backend.read({ from: "bulkhead/keys/overlay/", to: "bulkhead/keys/overlay0" });
  const rows = new Map(entries.map(({ key, text }) => [key.slice("bulkhead/keys/overlay/".length), JSON.parse(text)]));
  const claims = (rows.get("claims") as { networks: World["claims"] } | undefined)?.networks ?? {};
  const networks = new Map(
    [...rows].flatMap(([key, value]) =>
      key.startsWith("networks/") ? [[key.slice("networks/".length), value as Network] as const] : [],
    ),
  );
  return { networks, claims };
}

/** Asserts what holds at every moment. `held`: the numbers that hosts were told. */
function check({ networks, claims }: World, held: ReadonlyMap<string, number>): void {
  const vnis = Object.values(claims).map(({ vni }) => vni);
  assert.is(new Set(vnis).size, vnis.length, "an identifier has one name");
  assert.not(claims.green && claims.red, "subnets that overlap have one name");
  for (const [name, { hosts }] of networks) {
    const numbers = Object.values(hosts).map(({ n }) => n);
    assert.is(new Set(numbers).size, numbers.length, `a prefix of ${name} has one host`);
  }
  for (const [key, n] of held) {
    const [name = "", host = ""] = key.split(" ");
    const network = networks.get(name);
    const claim = claims[name];
    assert.is(network?.hosts[host]?.n, n, `${host} has the prefix of ${name} that it was told`);
    assert.ok(claim?.live && claim.id === network?.id && claim.vni === network?.vni, `${name} is claimed`);
  }
}

const step: fc.Arbitrary<Step> = fc.record({
  host: fc.integer({ min: 0, max: HOSTS - 1 }),
  does: fc.constantFrom("enter", "enter", "enter", "give-up", "leave", "leave", "gone"),
  name: fc.integer({ min: 0, max: NAMES.length - 1 }),
  ends: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 8 }) },
  ),
});

async function life(
  t: TestContext,
  { SharedNetworks }: Part,
  steps: readonly Step[],
  seed: number,
): Promise<{ readonly entered: number }> {
  let state = seed >>> 0;
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const backend = new MemoryClusterStore();
  const held = new Map<string, number>();
  let entered = 0;
  const hosts = Array.from({ length: HOSTS }, () => {
    const left = { requests: Number.POSITIVE_INFINITY };
    const store = storeOf(t, backend, chance, left);
    const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    return { left, shared: new SharedNetworks(store, pause) };
  });

  const run = async ({ host, does, name }: Step): Promise<void> => {
    const { shared } = some(hosts[host]);
    const called = NAMES[name] ?? "";
    const key = `${called} h${host}`;
    if (does === "leave" || does === "gone") {
      // An operator's word is about a host that does nothing any more: here, the host itself.
      held.delete(key);
      await shared.leave(called, `h${host}`, does === "gone" ? undefined : machine(host));
      return;
    }
    for (let attempt = 0; attempt < 3; attempt++) {
      const claimed = await shared.claim(wish(name), 4096);
      if (does === "give-up") return shared.release(called, claimed);
      const seen = await shared.enter(wish(name), claimed, applicant(host), 1450);
      if (seen === undefined) continue;
      const n = seen.network.hosts[`h${host}`]?.n ?? -1;
      if (held.has(key)) assert.is(n, held.get(key), "a host that enters again keeps its prefix");
      held.set(key, n);
      entered++;
      return;
    }
  };

  // Each host does one thing after another; the hosts do theirs at the same time.
  await Promise.all(
    hosts.map(async ({ left }, host) => {
      for (const one of steps.filter((any) => any.host === host)) {
        left.requests = one.ends ?? Number.POSITIVE_INFINITY;
        try {
          await run(one);
        } catch (error) {
          const { kind } = error as { kind?: string };
          if (!(error instanceof Ended) && kind !== "Forbidden" && kind !== "NoService") throw error;
        }
        check(await read(backend), held);
      }
    }),
  );

  // Without further ends: everyone enters and leaves, and nothing is left.
  for (const [host, { left, shared }] of hosts.entries()) {
    left.requests = Number.POSITIVE_INFINITY;
    for (const name of NAMES) await shared.leave(name, `h${host}`, machine(host));
  }
  for (const name of [0, 1, 2]) {
    // What ended half-way is taken over by whoever makes a network of that name.
    const { shared } = some(hosts[0]);
    const claimed = await shared.claim(wish(name), 4096).catch(() => undefined);
    if (claimed) await shared.release(NAMES[name] ?? "", claimed);
  }
  const { networks, claims } = await read(backend);
  assert.equal([[...networks.keys()], Object.keys(claims)], [[], []], "what is left when all have gone");
  await backend.close();
  return { entered };
}

test(
  "hosts that enter and leave at once, end half-way and lose replies: nothing is given twice, and nothing forgotten",
  async (t) => {
    const part = await partOf<Part>(t, "overlay", "shared.ts");
    let entered = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), fc.integer(), async (steps, seed) => {
        entered += (await life(t, part, steps, seed)).entered;
      }),
      { numRuns: 100, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
    );
    assert.ok(entered > 300, `${entered} entries`);
  },
  { ms: 60_000 },
);

async function sharedOf(t: TestContext): Promise<Shared> {
  const { SharedNetworks } = await partOf<Part>(t, "overlay", "shared.ts");
  const store = storeOf(t, new MemoryClusterStore(), () => 0.99, { requests: Number.POSITIVE_INFINITY });
  return new SharedNetworks(store, async () => {});
}

async function enters(shared: Shared, host: number, asked: Wish, mtu = 1450): Promise<Network> {
  const seen = await shared.enter(asked, await shared.claim(asked, 4096), applicant(host), mtu);
  return some(seen).network;
}

test("a later host needs the name alone; what it asks for besides must agree", async (t) => {
  const shared = await sharedOf(t);
  const alone = { name: "blue", subnets: [], mtu: undefined };
  const early = await rejection(shared.claim(alone, 4096));
  assert.match(early.message, /network "blue" is on no host yet: .*-o subnet=/);
  await enters(shared, 0, wish(0));
  const network = await enters(shared, 1, alone);
  assert.equal([network.vni, network.hosts.h0?.n, network.hosts.h1?.n], [4096, 0, 1]);
  const other = await rejection(enters(shared, 2, { ...wish(0), subnets: [{ text: "10.64.0.0/16", length: 25 }] }));
  assert.match(
    other.message,
    /has 10\.64\.0\.0\/16 with a \/24 for each host, and 10\.64\.0\.0\/16 with a \/25 is asked/,
  );
  assert.match((await rejection(enters(shared, 2, { ...alone, mtu: 1400 }))).message, /has the MTU 1450, and 1400 is/);
  const narrow = await rejection(enters(shared, 2, alone, 1400));
  assert.match(narrow.message, /has the MTU 1450, and this host's parent carries 1400 at most/);
});

test("a prefix is given back by its host or by an operator's word, and by nothing else", async (t) => {
  const shared = await sharedOf(t);
  const red = wish(2);
  await enters(shared, 0, red);
  await enters(shared, 1, red);
  const full = await rejection(enters(shared, 2, red));
  assert.equal([full.kind, /has 2 hosts, and no prefix is left/.test(full.message)], ["Forbidden", true]);
  await shared.leave("red", "h0", machine(9));
  assert.is((await rejection(enters(shared, 2, red))).kind, "Forbidden", "another machine cannot give it back");
  await shared.leave("red", "h0", undefined);
  assert.is((await enters(shared, 2, red)).hosts.h2?.n, 0);
});

test("a name that another machine has is refused, and so is its address", async (t) => {
  const shared = await sharedOf(t);
  await enters(shared, 0, wish(0));
  const claimed = await shared.claim(wish(0), 4096);
  const twin = await rejection(shared.enter(wish(0), claimed, { ...applicant(0), machine: machine(9) }, 1450));
  assert.match(twin.message, /host "h0" is another machine, at 198\.51\.100\.1, .*bulkhead cluster fence h0/);
  const same = await rejection(shared.enter(wish(0), claimed, { ...applicant(1), address: "198.51.100.1" }, 1450));
  assert.match(same.message, /address 198\.51\.100\.1 is that of host "h0"/);
});

test.run();

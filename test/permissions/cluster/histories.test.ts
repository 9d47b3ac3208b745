/** What several hosts were told while members were killed and frozen and the network failed fits one order of all operations. */
import type { Json } from "#dist/driverapi/json.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import { assert, suite } from "../../harness.js";
import { noEtcd, startEtcd, startMembers } from "./etcd.js";
import { type Operation, violation } from "./linearizable.js";
import { startProxy } from "./proxy.js";
import { hostOn, type Opened } from "./stores.js";

const test = suite("permissions/cluster/histories");
const KEYS = ["a", "b"];
const SHORT = { storeMs: 400, connectMs: 200, requestMs: 2_000 };

type Told = { readonly text: string; readonly revision: number } | null;

/** One client: reads, creates, replaces and deletes, and records what it was told. */
class Client {
  readonly history = new Map<string, Operation[]>(KEYS.map((key) => [key, []]));
  /** Errors by code. */
  readonly failures = new Map<string, number>();
  readonly #power: Opened;
  readonly #name: string;
  #count = 0;

  constructor(name: string, power: Opened) {
    this.#name = name;
    this.#power = power;
  }

  /** Works until `ended` returns true. */
  async work(ended: () => boolean): Promise<void> {
    while (!ended()) {
      const key = KEYS[this.#count % KEYS.length] ?? "";
      const present = await this.#read(key);
      if (present === undefined) continue;
      const value = `${this.#name}${this.#count++}`;
      if (present === null) await this.#write(key, "create", { key, value }, null, value);
      else {
        const { text, revision } = present;
        const expects = JSON.parse(text) as string;
        if (this.#count % 5 === 0) await this.#write(key, "delete", { key, revision }, expects, null);
        else await this.#write(key, "compareAndSet", { key, revision, value }, expects, value);
      }
    }
  }

  async #read(key: string): Promise<Told | undefined> {
    const call = performance.now();
    try {
      const told = (await this.#power.ask("get", { key })) as Told;
      const seen = told === null ? { told } : { told: JSON.parse(told.text) as string, revision: told.revision };
      this.history.get(key)?.push({ call, reply: performance.now(), ...seen });
      return told;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  async #write(key: string, op: string, request: Json, expects: string | null, writes: string | null): Promise<void> {
    const call = performance.now();
    try {
      const revision = (await this.#power.ask(op, request)) as number | null;
      const seen = revision === null ? { told: false } : { told: true, revision };
      this.history.get(key)?.push({ call, reply: performance.now(), expects, writes, ...seen });
    } catch (error) {
      // One that failed changed nothing, so it is left out: if it did after all, somebody reads what nobody wrote.
      if (this.#failed(error) === "ERR_CLUSTER_UNKNOWN")
        this.history.get(key)?.push({ call, reply: Number.POSITIVE_INFINITY, expects, writes });
    }
  }

  #failed(error: unknown): string {
    const { code = "" } = error as { readonly code?: string };
    if (!code.startsWith("ERR_CLUSTER_")) throw error;
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    return code;
  }
}

/** Works with all clients while `disturb` runs, then checks. */
async function check(powers: readonly Opened[], disturb: () => Promise<void>): Promise<void> {
  const clients = powers.map((power, n) => new Client(String.fromCharCode(65 + n), power));
  let ended = false;
  const working = Promise.all(clients.map((client) => client.work(() => ended)));
  try {
    await disturb();
  } finally {
    ended = true;
  }
  await working;
  const failures = clients.map(({ failures }) => [...failures].map(([code, n]) => `${code} ${n}`).join(", "));
  let operations = 0;
  for (const key of KEYS) {
    const history = clients.flatMap((client) => client.history.get(key) ?? []);
    operations += history.length;
    assert.is(violation(history), undefined, JSON.stringify(history));
  }
  console.log(`NOTE ${operations} operations; failures per client: ${failures.join(" | ")}`);
  assert.ok(operations > 100, `only ${operations} operations`);
}

/** Resolves when another `count` operations of one host have succeeded, so that disturbances are spread over work. */
async function progress({ ask }: Opened, count: number): Promise<void> {
  for (let done = 0; done < count; )
    await ask("get", { key: "progress" }).then(
      () => done++,
      () => new Promise((resolve) => setTimeout(resolve, 20)),
    );
}

test("in memory", async (t) => {
  const store = new MemoryClusterStore();
  const powers = [1, 2, 3].map(() => hostOn(t, { use: store }).open());
  await check(powers, () => progress(hostOn(t, { use: store }).open("other"), 400));
});

const needs = { needs: noEtcd, ms: 90_000 };

test(
  "one member that is killed, behind a network that fails",
  async (t) => {
    const etcd = await startEtcd(t);
    const proxy = await startProxy(t, etcd.port);
    const host = (url: string, plugin?: string): Opened =>
      hostOn(t, { options: { store: "etcd", endpoints: [url] } }, SHORT).open(plugin);
    const [watching, ...powers] = [
      host(etcd.url, "other"),
      host(proxy.url),
      host(proxy.url),
      host(etcd.url),
      host(etcd.url),
    ];
    await check(powers, async () => {
      for (let round = 0; round < 3; round++) {
        await progress(watching, 60);
        await etcd.kill("SIGKILL");
        await etcd.start();
        await progress(watching, 60);
        proxy.weather = "dead";
        await progress(watching, 200);
        proxy.weather = "pass";
        proxy.cut();
        await progress(watching, 60);
        proxy.losing = "/v3/kv/txn";
        await progress(watching, 100);
        proxy.losing = undefined;
        proxy.cut();
      }
    });
  },
  needs,
);

test(
  "three members, of which one at a time is frozen or killed, the leader too",
  async (t) => {
    const members = await startMembers(t, 3);
    const urls = members.map(({ url }) => url);
    const rotated = (n: number): string[] => [...urls.slice(n), ...urls.slice(0, n)];
    const host = (n: number, plugin?: string): Opened =>
      hostOn(t, { options: { store: "etcd", endpoints: rotated(n) } }, SHORT).open(plugin);
    const watching = host(0, "other");
    await check([host(0), host(1), host(2)], async () => {
      for (const [n, member] of members.entries()) {
        await progress(watching, 30);
        if (n % 2 === 0) await member.freeze();
        else await member.kill("SIGKILL");
        await progress(watching, 60);
        if (n % 2 === 0) member.thaw();
        else await member.start();
        await progress(watching, 30);
      }
    });
  },
  needs,
);

test.run();

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { EtcdStore } from "#dist/permissions/cluster/etcd/etcd-store.js";
import { storeErrorOf } from "#dist/permissions/cluster/etcd/failures.js";
import { CLUSTER } from "#dist/permissions/cluster/limits.js";
import { MemoryClusterStore } from "#dist/permissions/cluster/memory/memory-store.js";
import type { ClusterOptions } from "#dist/permissions/cluster/options.js";
import { assert, rejection, suite, type TestContext } from "../../harness.js";
import { noEtcd, startEtcd } from "./etcd.js";
import { hostOn, withMethods } from "./stores.js";

const test = suite("permissions/cluster/gateway");
const needs = { needs: noEtcd, ms: 40_000 };
const HEADER = { cluster_id: "1", revision: "5" };

type Answers = (path: string, response: ServerResponse) => void;

/** A server in the store's place. Returns its URL, and the paths that were asked for. */
async function impostor(t: TestContext, answer: Answers): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    request.resume().on("end", () => answer(request.url ?? "", response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { asked, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` };
}

const on = (...endpoints: string[]): { readonly options: ClusterOptions } => ({
  options: { store: "etcd", endpoints },
});
const json =
  (value: unknown): Answers =>
  (_path, response) =>
    void response.end(JSON.stringify(value));
/** One line that never ends. */
const endless: Answers = (_path, response) => {
  const more = (): void => {
    if (response.destroyed) return;
    if (response.write("x".repeat(65_536))) setImmediate(more);
    else response.once("drain", more);
  };
  more();
};
const READ = { header: HEADER, kvs: [], count: "0" };

const REPLIES: readonly (readonly [what: string, answer: Answers, shows: RegExp])[] = [
  ["a page", (_path, response) => void response.end("<html>"), /not JSON/],
  ["null", json(null), /not an object/],
  ["an empty object, as a proxy may send", json({}), /not an object/],
  ["a list that is not one", json({ header: HEADER, kvs: { length: 1 } }), /a list/],
  [
    "a key outside the range",
    json({ header: HEADER, kvs: [{ key: "eg==", mod_revision: "1" }], count: "1" }),
    /outside the range/,
  ],
  ["a revision beyond 2^53", json({ header: { revision: "9223372036854775807" } }), /out of bounds/],
  ["a revision that is negative", json({ header: { revision: "-1" } }), /out of bounds/],
  ["a redirect", (_path, response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(), /302/],
  ["status 500", (_path, response) => void response.writeHead(500).end(), /500/],
  ["a reply without end", endless, /too long/],
];

for (const [what, answer, shows] of REPLIES)
  test(`a read is answered by ${what}: it failed`, async (t) => {
    const { url } = await impostor(t, answer);
    const error = await rejection(hostOn(t, on(url)).open().ask("get", { key: "a" }));
    assert.is(error.code, "ERR_CLUSTER_FAILED", error.message);
    assert.match(error.message, shows);
  });

const FOREIGN = { result: { header: HEADER, events: [{ kv: { key: "eg==", mod_revision: "5" } }] } };

for (const [what, answer, shows] of [
  ["a line without end", endless, /too long/],
  ["an empty line", (_path, response) => void response.write("\n"), /an empty line/],
  [
    "a key outside the range",
    (_path, response) => void response.write(`${JSON.stringify(FOREIGN)}\n`),
    /outside the range/,
  ],
] as const satisfies readonly (readonly [string, Answers, RegExp])[])
  test(`a watch that gets ${what} is ended`, async (t) => {
    const { url } = await impostor(t, answer);
    const store = new EtcdStore({ store: "etcd", endpoints: [url] }, CLUSTER);
    t.cleanup(() => store.close());
    const words = await new Promise<string>((resolve) => {
      const changes = (): void => resolve("told");
      t.cleanup(store.watch({ from: "a", to: "b" }, 2, { changes, ended: (_why, said) => resolve(said) }));
    });
    assert.match(words, shows);
  });

test("a page that does not follow the one before, and more than the plugin may have, fail a list", async (t) => {
  const kvs = [{ key: Buffer.from("bulkhead/keys/p/a").toString("base64"), value: "MQ==", mod_revision: "1" }];
  const empty = await impostor(t, json({ ...READ, count: "9", more: true }));
  const stuck = await rejection(hostOn(t, on(empty.url)).open("p").ask("list", { prefix: "" }));
  assert.match(`${stuck.code} ${stuck.message}`, /^ERR_CLUSTER_FAILED .*does not follow/);
  assert.is(empty.asked.length, 1);
  const { url } = await impostor(t, json({ ...READ, kvs, count: "9", more: true }));
  const full = await rejection(hostOn(t, on(url), { listChars: 1 }).open("p").ask("list", { prefix: "" }));
  assert.match(`${full.code} ${full.message}`, /^ERR_CLUSTER_FAILED .*more than the plugin may have/);
});

for (const [what, answer] of [
  ["an empty object, as a proxy may send", json({})],
  ["a page", (_path, response) => void response.end("<html>")],
  ["a reply without end", endless],
  ["a gateway's timeout", (_path, response) => void response.writeHead(504).end()],
  [
    "what etcd says when it does not know itself",
    (_path, response) =>
      void response.writeHead(503).end(JSON.stringify({ error: "etcdserver: request timed out", code: 14 })),
  ],
] as const satisfies readonly (readonly [string, Answers])[])
  test(`a write is answered by ${what}: its outcome is unknown, and it is sent once`, async (t) => {
    const { url, asked } = await impostor(t, (path, response) =>
      path === "/v3/kv/txn" ? answer(path, response) : json(READ)(path, response),
    );
    const second = await impostor(t, json(READ));
    const error = await rejection(hostOn(t, on(url, second.url)).open().ask("create", { key: "a", value: 1 }));
    assert.is(error.code, "ERR_CLUSTER_UNKNOWN", error.message);
    assert.is([...asked, ...second.asked].filter((path) => path === "/v3/kv/txn").length, 1);
  });

test("a write that etcd refuses before it proposes it: it failed", async (t) => {
  const { url } = await impostor(t, (path, response) =>
    path === "/v3/kv/txn"
      ? void response.writeHead(429).end(JSON.stringify({ error: "etcdserver: too many requests", code: 8 }))
      : json(READ)(path, response),
  );
  const error = await rejection(hostOn(t, on(url)).open().ask("create", { key: "a", value: 1 }));
  assert.is(error.code, "ERR_CLUSTER_FAILED", error.message);
});

for (const [version, field] of [
  ["3.4", "error"],
  ["3.5", "message"],
] as const)
  test(`etcd ${version} gives its words as "${field}": what they say of revisions, leases and tokens is read`, async (t) => {
    const said = (words: string): string => JSON.stringify({ [field]: words, code: 11 });
    assert.is(
      storeErrorOf(400, said("etcdserver: mvcc: required revision has been compacted"), false).gone,
      "revision",
    );
    assert.is(storeErrorOf(404, said("etcdserver: requested lease not found"), true).gone, "lease");
    let logins = 0;
    const { url } = await impostor(t, (path, response) => {
      if (path === "/v3/auth/authenticate") return json({ header: HEADER, token: `t${++logins}` })(path, response);
      if (logins > 1) return json(READ)(path, response);
      response.writeHead(401).end(said("etcdserver: invalid auth token"));
    });
    const options = { store: "etcd", endpoints: [url], user: "u", password: "p" } as const;
    assert.is(await hostOn(t, { options }).open().ask("get", { key: "a" }), null);
    assert.is(logins, 2);
  });

test("a login that fails: the write was not sent, and failed", async (t) => {
  const { url, asked } = await impostor(t, json({ header: HEADER }));
  const options = { store: "etcd", endpoints: [url], user: "u", password: "p" } as const;
  const error = await rejection(hostOn(t, { options }).open().ask("create", { key: "a", value: 1 }));
  assert.is(error.code, "ERR_CLUSTER_FAILED", error.message);
  assert.equal([...new Set(asked)], ["/v3/auth/authenticate"]);
});

test("guards that do not hold: `succeeded` is absent, and nothing is taken for done", async (t) => {
  const { url } = await impostor(t, (path, response) =>
    json(path === "/v3/kv/txn" ? { header: HEADER } : READ)(path, response),
  );
  const error = await rejection(
    hostOn(t, on(url), { attempts: 3, pauseMs: 1 }).open().ask("create", { key: "a", value: 1 }),
  );
  assert.is(error.code, "ERR_CLUSTER_FAILED");
  assert.match(error.message, /3 times/);
});

test("members of two clusters: the second one's answer is not taken", async (t) => {
  let id = "1";
  const { url } = await impostor(t, (path, response) =>
    json({ ...READ, header: { ...HEADER, cluster_id: id } })(path, response),
  );
  const { ask } = hostOn(t, on(url)).open();
  assert.is(await ask("get", { key: "a" }), null);
  id = "2";
  const error = await rejection(ask("get", { key: "a" }));
  assert.is(error.code, "ERR_CLUSTER_FAILED");
  assert.match(error.message, /another cluster/);
});

test(
  "the plugin pays for the time of parsing, and what it watches waits while it owes",
  async (t) => {
    const etcd = await startEtcd(t);
    const store = new EtcdStore({ store: "etcd", endpoints: [etcd.url] }, CLUSTER);
    t.cleanup(() => store.close());
    let charged = 0;
    let pay = (): void => {};
    let waits = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const owing = new Promise<void>((resolve) => {
      pay = resolve;
    });
    const payer = {
      charge<T>(work: () => T): T {
        charged++;
        return work();
      },
      free: () => {
        waits();
        return owing;
      },
    };
    await store.commit([], [{ key: "a", text: "1" }]);
    await store.read({ from: "a", to: "b" }, { payer });
    assert.is(charged, 1);
    const told: unknown[] = [];
    const seen = new Promise<void>((resolve) => {
      const sink = { changes: (changes: readonly unknown[]) => resolve(void told.push(...changes)), ended() {} };
      t.cleanup(store.watch({ from: "a", to: "b" }, 2, sink, payer));
    });
    await waiting;
    assert.equal([told.length, charged], [0, 1]);
    pay();
    await seen;
    assert.ok(charged > 1);
  },
  needs,
);

test("a store that does not answer does not keep a plugin from being unloaded", async (t) => {
  const store = new MemoryClusterStore();
  const lease = await store.lease(60_000);
  t.cleanup(() => store.close());
  const silent = { ...withMethods(store), lease: async () => ({ ...lease, end: () => new Promise<never>(() => {}) }) };
  const { ask, power } = hostOn(t, { use: silent }, { endMs: 50 }).open();
  await ask("lease", { worker: "w", name: "a", value: 1 });
  const began = performance.now();
  await power.close?.();
  assert.ok(performance.now() - began < 2_000);
});

test("a host without a store: each request fails, and names the option", async (t) => {
  const host = hostOn(t, {});
  const error = await rejection(host.open().ask("create", { key: "a", value: 1 }));
  assert.is(error.code, "ERR_CLUSTER_FAILED");
  assert.match(error.message, /option "cluster"/);
  assert.match(host.log[0]?.text ?? "", /option "cluster"/);
});

test.run();

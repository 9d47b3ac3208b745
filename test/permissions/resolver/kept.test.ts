/** Answers that may be given again: to whom, for how long, how many; and what ends them. On the model, and with a clock of the test's own. */
import type { Json } from "#dist/driverapi/json.js";
import { KeptAnswers } from "#dist/permissions/resolver/kept-answers.js";
import { RESOLVER } from "#dist/permissions/resolver/limits.js";
import type { ModelResolver } from "#dist/permissions/resolver/model/model-resolver.js";
import { endow } from "#dist/permissions/resolver/worker.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { bridgeOf } from "../firewall/backends.js";
import { resolverBench } from "./backends.js";

const test = suite("permissions/resolver/kept");

const ask = (text: string, change: { from?: string; tcp?: boolean } = {}) => ({
  from: "10.64.1.2",
  tcp: false,
  message: Buffer.from(text, "latin1"),
  ...change,
});
const QUERY = "id-and-a-query";
const ANSWER = Buffer.from("ID:the-answer.");

test("the same query of the same client gets the answer, with an id of its own; any other asks the plugin", () => {
  const kept = new KeptAnswers(() => 0);
  kept.put(ask(QUERY), ANSWER, 0, 1000);
  const first = kept.get(ask("xy-and-a-query"));
  assert.is(kept.get(ask(QUERY))?.toString(), "id:the-answer.");
  assert.is(first?.toString(), "xy:the-answer.", "which may still wait to be sent");
  for (const [what, other] of [
    ["another client", ask(QUERY, { from: "10.64.1.3" })],
    ["over TCP", ask(QUERY, { tcp: true })],
    ["another case", ask("id-AND-a-query")],
    ["a longer message", ask(`${QUERY}.`)],
    ["a shorter message", ask(QUERY.slice(0, -1))],
    ["an id alone", ask("id")],
    ["nothing", ask("")],
  ] as const)
    assert.is(kept.get(other), undefined, what);
});

test("an answer is kept from the moment its query arrived, however late it comes; the last one counts", () => {
  let now = 0;
  const kept = new KeptAnswers(() => now);
  now = 600;
  kept.put(ask(QUERY), ANSWER, 100, 700);
  now = 799;
  assert.ok(kept.get(ask(QUERY)));
  now = 800;
  assert.is(kept.get(ask(QUERY)), undefined);
  kept.put(ask(QUERY), ANSWER, 0, 700);
  assert.is(kept.get(ask(QUERY)), undefined, "it was over when it came");
  for (const ms of [0, -1, Number.NaN]) kept.put(ask(QUERY), ANSWER, now, ms);
  assert.is(kept.get(ask(QUERY)), undefined);
});

test("a flood of different answers evicts the oldest; long and truncated messages are not kept", () => {
  const kept = new KeptAnswers(() => 0);
  for (let n = 0; n <= RESOLVER.kept; n++) kept.put(ask(`${QUERY}${n}`), ANSWER, 0, 1000);
  assert.is(kept.get(ask(`${QUERY}0`)), undefined);
  assert.ok(kept.get(ask(`${QUERY}1`)));
  assert.ok(kept.get(ask(`${QUERY}${RESOLVER.kept}`)));
  const long = "x".repeat(RESOLVER.keptBytes / 2);
  for (const [query, answer] of [
    [long, `${long}.`],
    ["short query", ANSWER.toString()],
    [QUERY, "shortanswer"],
    [QUERY, ""],
  ] as const) {
    kept.put(ask(query), Buffer.from(answer), 0, 1000);
    assert.is(kept.get(ask(query)), undefined, `${query.length} and ${answer.length} bytes`);
  }
});

interface Served {
  /** Sends a query; resolves with the answer's text. */
  query(): Promise<string>;
  /** How many queries the plugin got. */
  heard(): number;
  ask(method: string, ...args: Json[]): Promise<Json>;
}

/** A plugin that numbers its answers, each with this notice's time. */
async function served(t: TestContext, keepMs: Json): Promise<Served> {
  const bench = await resolverBench(t, "model");
  await bridgeOf(bench.ask, "bh-a", "10.64.1.1/24");
  const { ask, power } = bench.openResolver("bridge");
  const model = bench.resolver.backend as ModelResolver;
  let heard = 0;
  const { heard: pass } = model;
  model.heard = (query) => {
    pass(query);
    void ask("next", "w1").then((queries) => {
      for (const { id } of queries as unknown as { id: number }[])
        power.notices?.get("resolver.answer")?.([id, Buffer.from(`ID:answer-${heard++}.`).toString("base64"), keepMs]);
    });
  };
  await ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
  return {
    heard: () => heard,
    ask,
    async query() {
      const answer = await model.query("10.64.1.1", "10.64.1.2", Buffer.from(QUERY).toString("base64"));
      return Buffer.from(answer ?? "", "base64").toString();
    },
  };
}

test("a plugin that asks for a year gets a second, and one that asks for nonsense gets nothing", async (t) => {
  const year = await served(t, 365 * 86_400_000);
  await year.query();
  const since = performance.now();
  while (year.heard() === 1) {
    await year.query();
    assert.ok(performance.now() - since < 5 * RESOLVER.keepMs, "it is said again for too long");
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const keepMs of [0, -1, "1000", null, true, [1000], {}]) {
    const { query, heard } = await served(t, keepMs);
    for (let n = 0; n < 3; n++) await query();
    assert.is(heard(), 3, JSON.stringify(keepMs));
  }
});

test("another handler's answers are given from its first moment: listen and stop forget what was said before", async (t) => {
  const { query, heard, ask } = await served(t, 1000);
  // Alone, a second may pass between two queries.
  const again = async (): Promise<void> => {
    for (let before = -1; before !== heard(); ) {
      before = heard();
      await query();
    }
  };
  for (const forget of [["listen"], ["stop", "listen"]] as const) {
    await again();
    const before = heard();
    for (const method of forget) await ask(method, { ip: "10.64.1.1", ...(method === "listen" && { bridge: "bh-a" }) });
    assert.is(heard(), before);
    assert.is(await query(), `ID:answer-${before}.`, forget.join(", "));
  }
});

test("an answer to a query from before the handler changed is given once", async (t) => {
  const { ask: link, openResolver, resolver } = await resolverBench(t, "model");
  await bridgeOf(link, "bh-a", "10.64.1.1/24");
  const { ask, power } = openResolver("bridge");
  const model = resolver.backend as ModelResolver;
  await ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
  const query = () => model.query("10.64.1.1", "10.64.1.2", Buffer.from(QUERY).toString("base64"));
  const answer = (id: number) => power.notices?.get("resolver.answer")?.([id, ANSWER.toString("base64"), 1000]);
  const next = async () => ((await ask("next", "w1")) as unknown as { id: number }[]).map(({ id }) => id);
  const first = query();
  const [id = -1] = await next();
  await ask("listen", { bridge: "bh-a", ip: "10.64.1.1" });
  answer(id);
  assert.is(await first, ANSWER.toString("base64"));
  const second = query();
  const ids = await next();
  assert.is(ids.length, 1, "the plugin is asked");
  answer(ids[0] ?? -1);
  await second;
});

test("what a handler returns: bytes, or bytes with a time; anything else is no answer", async () => {
  const returned: [unknown, readonly Json[]][] = [
    [new Uint8Array(12), ["AAAAAAAAAAAAAAAA"]],
    [{ message: new Uint8Array(12), keepMs: 7.5 }, ["AAAAAAAAAAAAAAAA", 7.5]],
    [{ message: new Uint8Array(12), keepMs: Number.POSITIVE_INFINITY }, ["AAAAAAAAAAAAAAAA", RESOLVER.keepMs]],
    [undefined, []],
    [null, []],
    [{ message: new Uint8Array(12) }, []],
    [{ message: new Uint8Array(12), keepMs: -1 }, []],
    [{ message: new Uint8Array(12), keepMs: Number.NaN }, []],
    [{ message: new Uint8Array(12), keepMs: "7" }, []],
    [{ message: "text", keepMs: 7 }, []],
    [{ keepMs: 7 }, []],
    [{ message: new Uint8Array(RESOLVER.messageBytes + 1), keepMs: 7 }, []],
    ["text", []],
    [7, []],
  ];
  const query = { ip: "10.64.1.1", from: "10.64.1.2", tcp: false, message: "" };
  const said = new Map<Json, readonly Json[]>();
  let all = (): void => {};
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  let given = false;
  const { power } = endow(
    { upstreams: [] },
    {
      request: async (name) => {
        if (name !== "resolver.next") return null;
        if (given) return new Promise(() => {});
        given = true;
        return returned.map((_, id) => ({ id, ...query }));
      },
      notify: (_, [id = null, ...rest]) => {
        said.set(id, rest);
        if (said.size === returned.length) all();
      },
    },
  );
  let at = 0;
  const { listen } = power as { listen(spec: object, handler: () => unknown): Promise<void> };
  await listen({ bridge: "bh-a", ip: "10.64.1.1" }, () => returned[at++]?.[0]);
  await done;
  for (const [id, [what, expected]] of returned.entries()) assert.equal(said.get(id), expected, String(what));
});

test.run();

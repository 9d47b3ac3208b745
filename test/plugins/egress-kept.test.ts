/** Which of the driver's answers the host may give again, and for how long: as long as the driver would say the same, word for word. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import packet, { type Answer, type DecodedPacket } from "dns-packet";
import { resolverOf, startHost } from "#dist/host/plugin-host.js";
import { EndpointConfig } from "#dist/index.js";
import type { ModelResolver } from "#dist/permissions/resolver/model/model-resolver.js";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import { assert, suite, type TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { dataOf, egress, rcodeOf } from "./egress-model.js";
import { address, alias, replyTo, type Zone } from "./name-server.js";
import { generic, partOf } from "./shipped.js";

const test = suite("plugins/egress-kept");

/** What a query came to. */
interface Said {
  readonly keepMs: number;
  readonly answer: DecodedPacket;
}

interface Parts {
  readonly at: { now: number };
  /** What the firewall was asked for, in order: an address, and when that ends. */
  readonly allowed: { readonly to: string; readonly until: number }[];
  /** How many refused names were counted. */
  refused(): number;
  ask(name: string, type?: string): Promise<Said>;
}

/** The part of the driver that answers, with a clock of the test's own. */
async function answering(t: TestContext, list: readonly string[], zone: Zone): Promise<Parts> {
  const { Answering } = await partOf<{
    Answering: new (
      options: object,
    ) => {
      answer(query: object): Promise<Uint8Array | { message: Uint8Array; keepMs: number }>;
    };
  }>(t, "egress", "answering.ts");
  const { AllowList } = await partOf<{ AllowList: new (entries: readonly string[]) => unknown }>(
    t,
    "egress",
    "allow-list.ts",
  );
  const at = { now: 1_000_000.5 };
  const allowed: { to: string; until: number }[] = [];
  let refused = 0;
  const one = new Answering({
    resolver: {
      upstreams: ["192.0.2.53"],
      ask: async (_: string, question: Uint8Array) => new Uint8Array(replyTo(Buffer.from(question), zone)),
    },
    firewall: {
      allow: async ({ to, seconds }: { to: string; seconds: number }) =>
        void allowed.push({ to, until: at.now + seconds * 1000 }),
    },
    bridge: "eg-b",
    list: new AllowList(list),
    refusals: { addName: () => refused++, ledTo: () => {} },
    refuse: 3,
    families: new Set([4]),
    now: () => at.now,
  });
  return {
    at,
    allowed,
    refused: () => refused,
    async ask(name, type = "A") {
      const question = packet.encode({ type: "query", id: 7, flags: 256, questions: [{ name, type: type as "A" }] });
      const query = { ip: "10.64.1.1", from: "10.64.1.2", tcp: false, message: new Uint8Array(question) };
      const said = await one.answer(query);
      return "keepMs" in said
        ? { keepMs: said.keepMs, answer: packet.decode(Buffer.from(said.message)) }
        : { keepMs: 0, answer: packet.decode(Buffer.from(said)) };
    },
  };
}

const recordsOf = ({ answer }: Said): readonly Answer[] => answer.answers ?? [];

test("an answer may be given again until the driver would say something else: another TTL, or another address", async (t) => {
  const zone: Record<string, Zone[string]> = {
    "a.example.com": [alias("b.example.com", 10)],
    "b.example.com": [address("198.51.100.1", 3)],
  };
  const { at, ask, allowed } = await answering(t, ["a.example.com:443"], zone);
  let said = await ask("a.example.com");
  zone["b.example.com"] = [address("198.51.100.2", 3)];
  for (let time = 0; time < 12; time++) {
    const kept = said;
    const end = at.now + kept.keepMs;
    assert.ok(kept.keepMs >= 0 && kept.keepMs <= 1000);
    const addresses = allowed.filter(({ to }) => dataOf(kept.answer).includes(to));
    const until = Math.max(...addresses.map((one) => one.until));
    assert.ok(until >= end + 5000, `allowed until ${until}, and may be given until ${end}`);
    // Just before its end the driver says the same.
    at.now += kept.keepMs * 0.999;
    said = await ask("a.example.com");
    if (kept.keepMs > 0) assert.equal(recordsOf(said), recordsOf(kept));
    at.now = end + 1;
    said = await ask("a.example.com");
    assert.not.equal(recordsOf(said), recordsOf(kept));
  }
  assert.ok(allowed.some(({ to }) => to === "198.51.100.2"));
});

test("refused names are counted each time; a name with a TTL of 0 is looked up each time", async (t) => {
  const zone = { "zero.example.com": [address("198.51.100.1", 0)], "in.example.com": [address("10.0.0.1", 30)] };
  const { ask, refused } = await answering(t, ["*.example.com:443"], zone);
  assert.is((await ask("evil.example")).keepMs, 0);
  assert.is((await ask("in.example.com")).keepMs, 0, "an address that is not public");
  assert.is((await ask("zero.example.com")).keepMs, 0);
  assert.is(refused(), 2);
});

test("that a listed name does not exist, or has no such record, may be said again for a second", async (t) => {
  const { at, ask } = await answering(t, ["*.example.com:443"], {});
  const absent = await ask("none.example.com");
  assert.is(rcodeOf(absent.answer), "NXDOMAIN");
  assert.is(absent.keepMs, 1000);
  at.now += 9_600;
  assert.is(Math.round((await ask("none.example.com")).keepMs), 400, "the driver asks again in 10 seconds");
  assert.is((await ask("none.example.com", "AAAA")).keepMs, 1000, "a family that the network does not have");
  assert.is((await ask("none.example.com", "TXT")).keepMs, 1000);
});

test("on a network: the driver is not asked for each query of a client, and for each refused one", async (t) => {
  const one = await egress(
    t,
    { allow: "a.example.com:443", log: "refused" },
    { "a.example.com": [address("198.51.100.1", 30)] },
  );
  const ipv4 = "10.64.1.2/24";
  await one.driver.createEndpoint("n", "e", new EndpointConfig([{ id: 0, mac: "", ipv4, ipv6: "" }]), {});
  let heard = 0;
  const { heard: pass } = one.resolver;
  one.resolver.heard = (query) => {
    heard++;
    pass(query);
  };
  for (let before = -1; before !== heard; await turn()) {
    before = heard;
    assert.equal(dataOf(await one.ask("a.example.com")), ["198.51.100.1"]);
  }
  for (let n = 0; n < 3; n++) assert.is(rcodeOf(await one.ask("b.example.com")), "NXDOMAIN");
  assert.is((await one.driver.endpointOperInfo("n", "e")).refusedNames, 3);
});

test("when the policy takes a name away, its answer is not given again, though a container asked for it meanwhile", async (t) => {
  const copy = await copyForTest(`${REPO}plugins/egress`, undefined);
  t.cleanup(() => copy.remove());
  const file = join(await t.folder(), "bulkhead.config.json");
  const permissions = {
    netlink: { kinds: ["bridge", "veth"], prefix: "eg", subnets: ["10.64.0.0/10"] },
    firewall: { ports: [] },
    resolver: { upstreams: ["192.0.2.53"] },
  } as const;
  const write = (listed: readonly string[]): Promise<void> =>
    writeFile(
      file,
      JSON.stringify(testPolicy(copy.found, permissions, { options: { egress: { lists: { listed } } } })),
    );
  await write(["old.example.com:80"]);
  const host = await startHost({ plugins: copy.folder, policy: file, backend: "model", logger: SILENT }, {});
  t.cleanup(() => host.close());
  await host.driver("egress").createNetwork("n", generic({ subnet: "10.64.1.0/24", lists: "listed" }));
  const resolver = resolverOf(host)?.backend as ModelResolver;
  resolver.upstream = async ({ message }) =>
    replyTo(Buffer.from(message, "base64"), { "old.example.com": [address("198.51.100.1")] }).toString("base64");
  const question = packet.encode({ type: "query", id: 1, questions: [{ name: "old.example.com", type: "A" }] });
  /** As a client, it repeats a query that gets no answer. */
  const ask = async (): Promise<unknown> => {
    for (;;) {
      const answer = await resolver.query("10.64.1.1", "10.64.1.2", question.toString("base64"));
      if (answer !== undefined) return rcodeOf(packet.decode(Buffer.from(answer, "base64")));
      await turn();
    }
  };
  assert.is(await ask(), "NOERROR");
  await write(["new.example.com:80"]);
  let refreshed = false;
  const refreshing = host.refresh().then(() => {
    refreshed = true;
  });
  while (!refreshed) {
    await ask();
    await turn();
  }
  await refreshing;
  assert.is(await ask(), "NXDOMAIN");
});

test.run();

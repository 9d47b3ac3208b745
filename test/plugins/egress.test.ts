/** The egress driver on the model: which names are answered, with what, and what is allowed before. The test is the name server. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import packet from "dns-packet";
import { firewallOf, startHost } from "#dist/host/plugin-host.js";
import { EndpointConfig } from "#dist/index.js";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import { assert, rejection, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { dataOf, egress, NETWORK, rcodeOf } from "./egress-model.js";
import { address, alias, replyTo } from "./name-server.js";
import { generic, serve } from "./shipped.js";

const test = suite("plugins/egress");

test("what is listed is answered, and allowed at its ports; what is not does not exist, and nobody is asked", async (t) => {
  const one = await egress(
    t,
    { allow: "api.example.com:443,*.debian.example:80-81,time.example.com:123/udp" },
    {
      "api.example.com": [address("198.51.100.1"), address("2001:db8::1")],
      "deb.debian.example": [address("198.51.100.2")],
      "time.example.com": [address("198.51.100.3")],
    },
  );
  assert.equal(dataOf(await one.ask("API.example.com")), ["198.51.100.1"]);
  assert.equal(dataOf(await one.ask("api.example.com", "AAAA")), ["2001:db8::1"]);
  assert.equal(dataOf(await one.ask("deb.debian.example")), ["198.51.100.2"]);
  assert.equal(dataOf(await one.ask("time.example.com")), ["198.51.100.3"]);
  assert.equal(one.allowed(), [
    "198.51.100.1 tcp 443",
    "2001:db8::1 tcp 443",
    "198.51.100.2 tcp 80",
    "198.51.100.2 tcp 81",
    "198.51.100.3 udp 123",
  ]);
  const before = one.asked.length;
  for (const name of [
    "example.com",
    "www.api.example.com",
    "api.example.com.evil.example",
    "evilapi.example.com",
    "debian.example",
    "xdebian.example",
    "localhost",
    "secrets-of-mine.evil.example",
  ]) {
    const answer = await one.ask(name);
    assert.is(rcodeOf(answer), "NXDOMAIN", name);
    assert.equal(dataOf(answer), []);
  }
  assert.is(one.asked.length, before, "nothing of them left the machine");
});

test("of a listed name, addresses alone are told: no text, no service, no other class", async (t) => {
  const one = await egress(t, { allow: "api.example.com:443" }, { "api.example.com": [address("198.51.100.1")] });
  for (const type of ["TXT", "MX", "SRV", "NS", "ANY", "PTR", "NULL", "SOA"]) {
    const answer = await one.ask("api.example.com", type);
    assert.is(rcodeOf(answer), "NOERROR", type);
    assert.equal(dataOf(answer), []);
  }
  const chaos = { questions: [{ name: "api.example.com", type: "A", class: "CH" }] };
  assert.is(rcodeOf(await one.ask("api.example.com", "A", chaos)), "FORMERR");
  assert.equal(one.asked, []);
});

test("aliases are followed, and told; what a reply says besides is left out", async (t) => {
  const one = await egress(
    t,
    { allow: "www.example.com:443" },
    {
      "www.example.com": [alias("edge.cdn.example", 30)],
      "edge.cdn.example": [alias("pop.cdn.example", 20)],
      "pop.cdn.example": [address("198.51.100.7", 600), address("198.51.100.8", 600)],
    },
  );
  const { upstream } = one.resolver;
  one.resolver.upstream = async (question) => {
    const reply = packet.decode(Buffer.from(await upstream(question), "base64"));
    const poison = [{ name: "bank.example", type: "A" as const, ttl: 60, data: "198.51.100.66" }];
    return packet.encode({ ...reply, answers: [...(reply.answers ?? []), ...poison] }).toString("base64");
  };
  const answer = await one.ask("www.example.com");
  assert.equal(dataOf(answer), ["edge.cdn.example", "pop.cdn.example", "198.51.100.7", "198.51.100.8"]);
  assert.ok(
    (answer?.answers ?? []).every((record) => Number((record as { ttl?: number }).ttl) <= 20),
    "the least TTL",
  );
  assert.equal(one.allowed(), ["198.51.100.7 tcp 443", "198.51.100.8 tcp 443"]);
  assert.is(rcodeOf(await one.ask("edge.cdn.example")), "NXDOMAIN", "an alias's own name is not listed");
});

test("no rebinding: addresses that are not public are told only if a listed network has them", async (t) => {
  const one = await egress(t, { allow: "a.example.com:80,b.example.com:80,10.9.0.0/16:5432" }, {});
  for (const ip of [
    "10.64.1.1",
    "10.8.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "172.17.0.2",
    "100.64.0.1",
    "168.63.129.16",
  ]) {
    one.zone = { "a.example.com": [address(ip, 0)] };
    assert.is(rcodeOf(await one.ask("a.example.com")), "NXDOMAIN", ip);
  }
  for (const ip of ["::1", "fe80::1", "fd64::1", "64:ff9b::a00:1", "2002:a00:1::1", "ff02::1"]) {
    one.zone = { "a.example.com": [address(ip, 0)] };
    assert.is(rcodeOf(await one.ask("a.example.com", "AAAA")), "NXDOMAIN", ip);
  }
  assert.equal(one.allowed(), []);
  one.zone = { "b.example.com": [address("10.9.1.1"), address("10.8.0.1"), address("198.51.100.1")] };
  assert.equal(dataOf(await one.ask("b.example.com")), ["10.9.1.1", "198.51.100.1"], "the others are left out");
});

test("a name that a name server does not know, or that none answers, is told as such", async (t) => {
  const one = await egress(t, { allow: "a.example.com:80" }, {});
  assert.is(rcodeOf(await one.ask("a.example.com")), "NXDOMAIN");
  one.resolver.upstream = async () => {
    throw new Error("down");
  };
  const other = await egress(t, { allow: "b.example.com:80" }, {});
  other.resolver.upstream = async () => Buffer.from("nonsense, not a message").toString("base64");
  assert.is(rcodeOf(await other.ask("b.example.com")), "SERVFAIL");
});

test("a hostile name server: replies to another question, to none, with loops and with nonsense are not used", async (t) => {
  const one = await egress(t, { allow: "*.example.com:80" }, {});
  // A failure is remembered, so each reply is to a name of its own.
  const replies: readonly ((question: Buffer, name: string) => Buffer)[] = [
    (_, name) =>
      packet.encode({
        type: "response",
        id: 0,
        questions: [{ name: "b.example.com", type: "A" }],
        answers: [{ name, type: "A", ttl: 60, data: "198.51.100.6" }],
      }),
    (_, name) =>
      packet.encode({
        type: "response",
        id: 0,
        questions: [{ name, type: "AAAA" }],
        answers: [{ name, type: "A", ttl: 60, data: "198.51.100.6" }],
      }),
    (_, name) =>
      packet.encode({
        type: "response",
        id: 0,
        answers: [{ name, type: "A", ttl: 60, data: "198.51.100.6" }],
      }),
    (question) => question,
    () => Buffer.alloc(0),
    () => Buffer.alloc(4096, 0xc0),
    (question, name) => Buffer.concat([replyTo(question, { [name]: [address("198.51.100.6")] }).subarray(0, 40)]),
  ];
  for (const [at, reply] of replies.entries()) {
    const name = `x${at}.example.com`;
    one.resolver.upstream = async ({ message }) => reply(Buffer.from(message, "base64"), name).toString("base64");
    assert.is(rcodeOf(await one.ask(name)), "SERVFAIL");
  }
  one.resolver.upstream = async ({ message }) =>
    replyTo(Buffer.from(message, "base64"), {
      "a.example.com": [alias("b.example.com")],
      "b.example.com": [alias("a.example.com")],
    }).toString("base64");
  assert.equal(dataOf(await one.ask("a.example.com")), [], "aliases in a circle");
  assert.equal(one.allowed(), []);
});

test("refuse=refused, log=refused: the code, and what operational info counts per endpoint", async (t) => {
  const one = await egress(t, { refuse: "refused", log: "refused" });
  const lines: unknown[] = [];
  one.host.host.on("plugin:log", ({ message, fields }) => lines.push([message, fields?.client, fields?.name]));
  await one.driver.createEndpoint(
    "n",
    "e",
    new EndpointConfig([{ id: 0, mac: "", ipv4: "10.64.1.2/24", ipv6: "" }]),
    {},
  );
  for (let n = 0; n < 3; n++) assert.is(rcodeOf(await one.ask("evil.example")), "REFUSED");
  const info = await one.driver.endpointOperInfo("n", "e");
  assert.is(info.refusedNames, 3);
  assert.equal(info.lastRefused, { name: "evil.example", why: "not listed" });
  assert.equal(lines, Array(3).fill(["refused", "10.64.1.2", "evil.example"]));
});

test("log=refused: packets are logged without anybody asking, five lines at once; what is counted again is counted once", async (t) => {
  const one = await egress(
    t,
    { log: "refused", allow: "a.example.com:80" },
    { "a.example.com": [address("198.51.100.1")] },
  );
  const ipv4 = "10.64.1.2/24";
  await one.driver.createEndpoint("n", "e", new EndpointConfig([{ id: 0, mac: "", ipv4, ipv6: "" }]), {});
  const { bridge } = await one.driver.endpointOperInfo("n", "e");
  await one.ask("a.example.com");
  const flow = { bridge: String(bridge), from: "10.64.1.2", protocol: "tcp" };
  const lines: unknown[] = [];
  const logged = new Promise<void>((resolve) => {
    one.host.host.on("plugin:log", ({ fields }) => {
      lines.push([fields?.client, fields?.to, fields?.port, fields?.packets, fields?.name]);
      if (lines.length === 5) resolve();
    });
  });
  const others = Array.from({ length: 20 }, (_, n) => ({ ...flow, to: "203.0.113.1", port: 20 - n, packets: 1 }));
  one.firewall.flows.push(...others, { ...flow, to: "198.51.100.1", port: 22, packets: 3 });
  one.firewall.flows.push({ ...flow, bridge: "eg-other", to: "203.0.113.9", port: 1, packets: 7 });
  await logged;
  assert.equal(lines[0], ["10.64.1.2", "198.51.100.1", 22, 3, "a.example.com"]);
  assert.is(lines.length, 5, "lines in a second");
  const info = await one.driver.endpointOperInfo("n", "e");
  assert.is(info.refusedPackets, 23);
  assert.is((info.lastRefusedPackets as readonly unknown[]).length, 8);
  // The table was written again, and counts from the beginning.
  one.firewall.flows.splice(0, 22, { ...flow, to: "198.51.100.1", port: 22, packets: 1 });
  assert.is((await one.driver.endpointOperInfo("n", "e")).refusedPackets, 24);
});

test("malformed queries are answered with an error or not at all, and the next one is served", async (t) => {
  const one = await egress(t, { allow: "a.example.com:80" }, { "a.example.com": [address("198.51.100.1")] });
  const good = packet.encode({ type: "query", id: 1, flags: 256, questions: [{ name: "a.example.com", type: "A" }] });
  const send = async (bytes: Buffer): Promise<string | undefined> => {
    const answer = await one.resolver.query("10.64.1.1", "10.64.1.2", bytes.toString("base64"));
    return answer && String(rcodeOf(packet.decode(Buffer.from(answer, "base64"))));
  };
  const loop = Buffer.from(good);
  loop.writeUInt16BE(0xc00c, 12);
  const response = Buffer.from(good);
  response.writeUInt16BE(0x8000, 2);
  const opcode = Buffer.from(good);
  opcode.writeUInt16BE(0x2800, 2);
  const two = Buffer.from(good);
  two.writeUInt16BE(2, 4);
  assert.is(await send(Buffer.alloc(0)), undefined);
  assert.is(await send(good.subarray(0, 11)), undefined);
  assert.is(await send(response), undefined, "a response");
  assert.is(await send(loop), "FORMERR", "a name that points to itself");
  assert.is(await send(opcode), "NOTIMP");
  assert.is(await send(two), "FORMERR");
  assert.is(await send(good.subarray(0, 20)), "FORMERR");
  assert.is(await send(good), "NOERROR");
});

test("lists by name come from the policy; when it changes, running networks get what it says, and keep what stays", async (t) => {
  const copy = await copyForTest(`${REPO}plugins/egress`, undefined);
  t.cleanup(() => copy.remove());
  const file = join(await t.folder(), "bulkhead.config.json");
  const permissions = {
    netlink: { kinds: ["bridge", "veth"], prefix: "eg", subnets: ["10.64.0.0/10"] },
    firewall: { ports: [] },
    resolver: { upstreams: ["192.0.2.53"] },
  } as const;
  const write = (mirrors: readonly string[]): Promise<void> =>
    writeFile(
      file,
      JSON.stringify(testPolicy(copy.found, permissions, { options: { egress: { lists: { mirrors } } } })),
    );
  await write(["deb.example.com:80", "10.9.0.0/16:5432", "10.8.0.0/16:5432"]);
  const host = await startHost({ plugins: copy.folder, policy: file, backend: "model", logger: SILENT }, {});
  t.cleanup(() => host.close());
  const driver = host.driver("egress");
  await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", lists: "mirrors" }));
  const id = host.plugins()[0]?.name ?? "";
  const listed = async (): Promise<readonly string[]> =>
    ((await firewallOf(host)?.rules(id)) ?? []).flatMap((rule) => (rule.kind === "allow" ? [rule.to] : []));
  assert.equal(await listed(), ["10.9.0.0/16", "10.8.0.0/16"]);
  await write(["deb.example.com:80", "10.9.0.0/16:5432", "10.7.0.0/16:5432"]);
  await host.refresh();
  assert.equal((await listed()).toSorted(), ["10.7.0.0/16", "10.9.0.0/16"]);
  const error = await rejection(driver.createNetwork("m", generic({ subnet: "10.64.2.0/24", lists: "nope" })));
  assert.match(error.message, /list "nope" does not exist.*mirrors/);
});

for (const [what, options, says] of [
  ["no port", { allow: "api.example.com" }, "api.example.com:443"],
  ["no name", { allow: "*:443" }, "neither a name"],
  ["a wildcard within a label", { allow: "a*.example.com:443" }, "neither a name"],
  ["one label", { allow: "com:443" }, "neither a name"],
  ["host bits", { allow: "10.9.0.1/16:443" }, "10.9.0.0/16"],
  ["too many ports of a name", { allow: "a.example.com:1-65535" }, "at most 16"],
  ["a range that ends before it begins", { allow: "a.example.com:443-80" }, "must be"],
  ["a word for refuse", { refuse: "drop" }, "nxdomain or refused"],
  ["an unknown option", { allowed: "x" }, "unknown option"],
] as const) {
  test(`BadRequest: ${what}`, async (t) => {
    const { host } = await serve(t, "egress", "model");
    const error = await rejection(host.driver().createNetwork("n", generic({ ...NETWORK, ...options })));
    assert.is(error.kind, "BadRequest", error.message);
    assert.ok(error.message.includes(says), error.message);
  });
}

test("an address outside what can be allowed is refused by the firewall, and the network is not left behind", async (t) => {
  const { host } = await serve(t, "egress", "model");
  const error = await rejection(host.driver().createNetwork("n", generic({ ...NETWORK, allow: "169.254.169.254:80" })));
  assert.match(error.message, /"special"/);
  assert.equal(await firewallOf(host.host)?.rules(host.id), []);
});

test.run();

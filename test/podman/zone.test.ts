/** Names: which client is told what, and texts that are not messages. */
import { type DecodedPacket, decode, encode } from "dns-packet";
import { readQuery, reply } from "#dist/podman/names/message.js";
import { nameNote } from "#dist/podman/names/note.js";
import { type NamedNetwork, type Verdict, Zone } from "#dist/podman/names/zone.js";
import { setupReply } from "#dist/podman/setup-reply.js";
import { assert, suite } from "../harness.js";

const test = suite("podman/zone");

const WEB = { id: "1", names: ["web", "front"], addresses: ["10.1.0.2", "fd00:1::2"] };
const SHELL = { id: "2", names: ["shell"], addresses: ["10.1.0.3"] };
const NETWORKS: readonly NamedNetwork[] = [
  { id: "a", listen: ["10.1.0.1"], forwarders: undefined, containers: [WEB, SHELL] },
  {
    ...{ id: "b", listen: ["10.2.0.1"], forwarders: [] },
    containers: [
      { ...SHELL, addresses: ["10.2.0.3"] },
      { id: "3", names: ["db"], addresses: ["10.2.0.4"] },
    ],
  },
];
const zone = new Zone(NETWORKS);
const judge = (name: string, type = "A", from = "10.1.0.3", at = "10.1.0.1"): Verdict =>
  zone.judge(at, from, { name, type });
const data = (verdict: Verdict): readonly string[] | string =>
  verdict.kind === "answers" ? verdict.answers.map((one) => one.data) : verdict.kind;

test("addresses of both families, Podman's domain, the reverse, and no other types", () => {
  for (const name of ["web", "WEB", "front", "web.dns.podman", "web."])
    assert.equal(data(judge(name)), ["10.1.0.2"], name);
  assert.equal(data(judge("web", "AAAA")), ["fd00:1::2"]);
  assert.equal(data(judge("shell", "AAAA")), [], "it has none, and the name exists");
  assert.equal(data(judge("web", "MX")), []);
  assert.equal(data(judge("2.0.1.10.in-addr.arpa", "PTR")), ["web"]);
  const six = `${"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f"}.ip6.arpa`;
  assert.equal(data(judge(six, "PTR")), ["web"]);
});

test("a container sees the names of its own networks, whichever gateway it asks; strangers are refused", () => {
  assert.equal(data(judge("db")), ["10.2.0.4"]);
  assert.is(data(judge("db", "A", "10.1.0.2")), "forward", "web is not on that network");
  assert.is(data(judge("web", "A", "10.1.0.9")), "refused");
  assert.is(data(judge("web", "A", "10.2.0.4")), "refused", "from another network");
  assert.is(data(judge("web", "A", "10.2.0.4", "10.2.0.1")), "unknown");
});

test("other names are passed on; on an internal network, and in Podman's domain, they do not exist", () => {
  assert.equal(judge("example.org"), { kind: "forward", to: undefined });
  assert.is(data(judge("example.org", "A", "10.2.0.3", "10.2.0.1")), "unknown");
  assert.is(data(judge("nobody.dns.podman")), "unknown");
});

/** Decodes a reply; the package's types lack its return code. */
const read = (bytes: Buffer): DecodedPacket & { readonly rcode?: string } => decode(bytes);

test("what is not a query of one question gets no answer, and never throws", () => {
  const good = encode({ type: "query", id: 7, flags: 256, questions: [{ type: "A", name: "web" }] });
  const query = readQuery(good);
  assert.is(query?.name, "web");
  const told = read(reply(query as NonNullable<typeof query>, judge("web") as never));
  assert.equal([told.id, told.answers?.length, told.rcode], [7, 1, "NOERROR"]);
  const refused = read(reply(query as NonNullable<typeof query>, { kind: "refused" }));
  assert.equal([refused.rcode, refused.answers?.length], ["REFUSED", 0]);
  assert.is(readQuery(Buffer.alloc(0)), undefined);
  assert.is(readQuery(encode({ type: "response", id: 1 })), undefined);
  assert.is(readQuery(encode({ type: "query", id: 1, questions: [] })), undefined);
  // A name that points at itself.
  assert.is(readQuery(Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])), undefined);
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(good);
    for (let at = 0; at < 3; at++) bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
    const read = readQuery(bytes.subarray(0, Math.floor(Math.random() * (bytes.length + 1))));
    if (read) reply(read, { kind: "unknown" });
  }
});

test("a container's names are those that a client can ask for; its network asks at the gateway", () => {
  const container = {
    ...{ container_id: "0123456789abcdef", container_name: "Web_1", port_mappings: [] },
    network: {
      ...{ name: "n", id: "n", driver: "d", network_interface: "", routes: [], ipv6_enabled: false, internal: true },
      ...{ dns_enabled: true, options: {}, network_dns_servers: [], ipam_options: {} },
      subnets: [{ subnet: "10.1.0.0/24", gateway: "10.1.0.1" }],
    },
    network_options: {
      ...{ aliases: ["shop", "a b", "-x", "s.h"], interface_name: "eth0", static_ips: [], static_mac: "", options: {} },
    },
  };
  const note = nameNote(container, { gateway: "", gatewayIPv6: "" }, false);
  assert.equal(note, { names: ["web_1", "shop", "s.h", "0123456789ab"], listen: ["10.1.0.1"], forwarders: [] });
  const outside = { ...container, network: { ...container.network, internal: false, dns_enabled: false } };
  assert.equal(nameNote(outside, { gateway: "10.1.0.9", gatewayIPv6: "" }, false).listen, []);
});

test("where the driver answers names itself, nothing is listened at, and containers ask at the gateway", () => {
  const container = {
    ...{ container_id: "0123456789abcdef", container_name: "web", port_mappings: [] },
    network: {
      ...{ name: "n", id: "n", driver: "d", network_interface: "", routes: [], ipv6_enabled: false, internal: false },
      ...{ dns_enabled: true, options: {}, network_dns_servers: ["192.0.2.1"], ipam_options: {}, subnets: [] },
    },
    network_options: { aliases: [], interface_name: "eth0", static_ips: [], static_mac: "", options: {} },
  };
  const made = { gateway: "10.1.0.1", gatewayIPv6: "", links: [] as const };
  assert.equal(nameNote(container, made, true).listen, []);
  const reply = (named: readonly string[], byDriver: boolean): object =>
    setupReply(container, made as never, { named: new Set(named), byDriver });
  assert.equal(reply([], true), { interfaces: {}, dns_server_ips: ["10.1.0.1"] });
  const own = { interfaces: {}, dns_server_ips: ["10.1.0.1"], dns_search_domains: ["dns.podman"] };
  assert.equal(reply(["10.1.0.1"], false), own);
  assert.equal(reply([], false), { interfaces: {}, dns_server_ips: ["192.0.2.1"] });
});

test.run();

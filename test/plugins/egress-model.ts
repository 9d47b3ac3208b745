/** An egress network on the model, whose queries a test sends, and for which it is the name server. */
import packet, { type DecodedPacket } from "dns-packet";
import { firewallOf, resolverOf } from "#dist/host/plugin-host.js";
import type { HostedDriver } from "#dist/index.js";
import type { ModelFirewall } from "#dist/permissions/firewall/model/model-firewall.js";
import type { ModelResolver } from "#dist/permissions/resolver/model/model-resolver.js";
import type { TestHost } from "#dist/testing.js";
import type { TestContext } from "../harness.js";
import { replyTo, type Zone } from "./name-server.js";
import { generic, serve } from "./shipped.js";

export const NETWORK = { subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" };

export interface Egress {
  readonly host: TestHost;
  readonly driver: HostedDriver;
  readonly resolver: ModelResolver;
  readonly firewall: ModelFirewall;
  /** What the name server replies, and which questions it got. */
  zone: Zone;
  readonly asked: string[];
  /** Asks the network's own name server; undefined if nobody answers. */
  ask(name: string, type?: string, more?: object, from?: string): Promise<DecodedPacket | undefined>;
  /** What is allowed: `BRIDGE`'s addresses with their ports. */
  allowed(): readonly string[];
}

export async function egress(t: TestContext, options: object, zone: Zone = {}): Promise<Egress> {
  const { host } = await serve(t, "egress", "model");
  const resolver = resolverOf(host.host)?.backend as ModelResolver;
  const firewall = firewallOf(host.host)?.backend as ModelFirewall;
  const driver = host.driver();
  await driver.createNetwork("n", generic({ ...NETWORK, ...options }));
  const made: Egress = {
    host,
    driver,
    resolver,
    firewall,
    zone,
    asked: [],
    async ask(name, type = "A", more = {}, from = "10.64.1.2") {
      const question = packet.encode({
        type: "query",
        id: 4711,
        flags: packet.RECURSION_DESIRED,
        questions: [{ name, type: type as "A" }],
        ...more,
      });
      const answer = await resolver.query("10.64.1.1", from, question.toString("base64"));
      return answer === undefined ? undefined : packet.decode(Buffer.from(answer, "base64"));
    },
    allowed: () =>
      [...firewall.programmed.values()].flatMap(({ allowed }) =>
        allowed.map(({ to, protocol, port }) => `${to} ${protocol} ${port}`),
      ),
  };
  resolver.upstream = async ({ message }) => {
    const question = Buffer.from(message, "base64");
    const [first] = packet.decode(question).questions ?? [];
    made.asked.push(`${first?.name} ${first?.type}`);
    return replyTo(question, made.zone).toString("base64");
  };
  return made;
}

export const dataOf = (answer: DecodedPacket | undefined): readonly unknown[] =>
  (answer?.answers ?? []).map((one) => (one as { data?: unknown }).data);
export const rcodeOf = (answer: DecodedPacket | undefined): unknown =>
  (answer as { rcode?: string } | undefined)?.rcode;

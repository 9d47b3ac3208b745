/**
 * Driver `egress` on any platform: a world outside with a name server, web servers and a counter of what is not listed; and what a
 * container on such a network reaches of it.
 */
import { fileURLToPath } from "node:url";
import { assert, until } from "../../harness.js";
import type { Orders, Resolved } from "../../plugins/container.js";
import { address } from "../../plugins/name-server.js";
import { NAMES } from "./daemon.js";
import { AT_OUTSIDE, HOST } from "./play.js";
import type { Stage } from "./stage.js";

/** Addresses outside: those that names lead to, one in a listed network, and one that nothing lists. */
export const WEB = "203.0.113.80";
const WEB6 = "2001:db8:77::80";
export const OTHER = "203.0.113.81";
const LISTED = "203.0.113.97";
export const UNLISTED = "203.0.113.66";
export const UNLISTED6 = "2001:db8:77::66";

const ZONE = {
  "api.example.com": [address(WEB, 30), address(WEB6, 30)],
  "deb.mirror.example": [address(OTHER, 30)],
  "inside.example.com": [address("10.1.2.3", 30)],
  "unlisted.example.com": [address(UNLISTED, 30)],
};
/** What a network lists of it. */
export const ALLOW = `api.example.com:443,inside.example.com:80,*.mirror.example:80-81,203.0.113.96/28:123/udp`;

/** How long to wait for a reply that must not come, in milliseconds. */
const IN_VAIN = 400;

/** What a container's process is to do. */
export type Order = { readonly [K in keyof Orders]: { readonly order: K; readonly what: Orders[K] } }[keyof Orders];

/** Carries out orders in a container's network, all at the same time; what came of each. */
export type Does = (orders: readonly Order[]) => Promise<readonly (string | Resolved)[]>;

export const resolve = (name: string, server: string, more: Partial<Orders["resolve"]> = {}): Order => ({
  order: "resolve",
  what: { name, server, ...more },
});
export const call = (ip: string, port: number, protocol: "tcp" | "udp" = "tcp"): Order => ({
  order: "call",
  what: { ip, port, protocol, ms: IN_VAIN },
});

/** Of what names came to: the first address, or the code. */
export function dataOf(results: readonly (string | Resolved)[]): readonly string[] {
  return results.map((one) => (typeof one === "string" ? one : (one.data[0] ?? one.rcode)));
}

export class World {
  readonly #stage: Stage;

  private constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** `stage`: one with an outside. */
  static async open(stage: Stage): Promise<World> {
    const own = [WEB, OTHER, LISTED, UNLISTED, NAMES].map((ip) => `ip addr add ${ip}/32 dev lo`);
    const six = [WEB6, UNLISTED6].map((ip) => `ip addr add ${ip}/128 dev lo nodad`);
    const counter = `table inet seen { chain input { type filter hook input priority 0;
      ip daddr ${UNLISTED} counter; ip6 daddr ${UNLISTED6} counter;
      iifname out0 tcp dport != { 80, 81, 443, 53 } tcp flags & (syn | ack) == syn counter;
      iifname out0 meta l4proto udp ip daddr != { ${NAMES}, ${LISTED} } counter;
      iifname out0 icmp type echo-request counter; iifname out0 icmpv6 type echo-request counter;
      iifname out0 ip saddr != ${HOST.ipv4} counter
    }
    }`;
    const script = [...own, ...six, `echo '${counter}' | nft -f -`].join("\n");
    await stage.text(...AT_OUTSIDE, "sh", "-ec", script);
    const servers = [
      [main("name-server-main.js"), NAMES, JSON.stringify(ZONE)],
      [main("web-server-main.js"), LISTED, "80", "81", "443", "853", "7000"],
    ].map((args) => stage.start([...AT_OUTSIDE, process.execPath, ...args]));
    for (const server of servers)
      await until(() => server.said().includes("ready"), "a server", 20_000).catch((error) => {
        throw new Error(`${error.message}: ${server.log()}`);
      });
    return new World(stage);
  }

  /** What the network of a process does. `inside`: a command that enters it. */
  inside(...inside: readonly string[]): Does {
    return async (orders) => {
      const input = orders.map((one, id) => `${JSON.stringify({ id, ...one })}\n`).join("");
      const { out, err } = await this.#stage.run([...inside, process.execPath, main("container-main.js")], { input });
      const lines = out.trim().split("\n");
      assert.is(lines.length, orders.length, err);
      const results = new Map(lines.map((line) => JSON.parse(line)).map(({ id, result }) => [id, result]));
      return orders.map((_, id) => results.get(id));
    };
  }

  /** Packets that came out so far and are not listed. */
  async strays(): Promise<number> {
    const text = await this.#stage.text(...AT_OUTSIDE, "nft", "list", "table", "inet", "seen");
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
  }
}

interface Reaching {
  readonly does: Does;
  /** True when a container's ping is answered. */
  readonly pings: (ip: string) => Promise<boolean>;
  /** Where the container asks for names. */
  readonly server: string;
  readonly gateway: string;
}

/** A container on a network that lists `ALLOW` reaches what is listed, by name, by wildcard and by network, and nothing else. */
export async function reaches(world: World, { does, pings, server, gateway }: Reaching): Promise<void> {
  const before = await world.strays();
  const vain = [call(UNLISTED, 443), call(WEB, 443), call(UNLISTED6, 443), call(WEB6, 443), call(LISTED, 123)];
  for (const said of await does(vain)) assert.not.match(String(said), /^web/, "before any name is asked for");

  assert.equal(
    dataOf(
      await does([
        resolve("api.example.com", server),
        resolve("api.example.com", server, { type: "AAAA" }),
        resolve("deb.mirror.example", server, { tcp: true }),
        resolve("api.example.com", UNLISTED),
        resolve("unlisted.example.com", server),
        resolve("unlisted.example.com", UNLISTED6),
        resolve("inside.example.com", server),
      ]),
    ),
    [WEB, WEB6, OTHER, WEB, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"],
  );
  const open = [call(WEB, 443), call(WEB6, 443), call(OTHER, 80), call(LISTED, 123, "udp")];
  assert.equal(await does(open), [`web ::ffff:${WEB} 443`, `web ${WEB6} 443`, `web ::ffff:${OTHER} 80`, "time"]);
  const shut = [
    ...[call(WEB, 80), call(WEB, 443, "udp"), call(WEB, 123, "udp"), call(OTHER, 443), call(LISTED, 80)],
    ...[call(UNLISTED, 443), call(UNLISTED, 853), call(UNLISTED, 443, "udp"), call(UNLISTED6, 443), call(WEB6, 80)],
    ...[call(HOST.ipv4, 7000), call(gateway, 7000), call("10.1.2.3", 80)],
  ];
  for (const [n, said] of (await does(shut)).entries())
    assert.not.match(String(said), /^(web|time)/, JSON.stringify(shut[n]));
  for (const ip of [UNLISTED, WEB, UNLISTED6, WEB6, gateway, HOST.ipv4]) assert.not(await pings(ip), `ping ${ip}`);

  assert.is(await world.strays(), before, "packets outside that were not listed");
}

/** A script of test/plugins. */
function main(name: string): string {
  return fileURLToPath(new URL(`../../plugins/${name}`, import.meta.url));
}

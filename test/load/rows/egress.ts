/** What a network of type `egress` costs its containers, against a plain bridge in the same namespace: names, connections, throughput. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "../../harness.js";
import { noKernel } from "../../permissions/netlink/backends.js";
import type { Container } from "../../plugins/container.js";
import { GRANT, type Home, home, NAMES, WEB, world } from "../../plugins/egress-house.js";
import { generic } from "../../plugins/shipped.js";
import type { Measure, RowSpec } from "../row.js";

const PEER = "a plain bridge";
const GATEWAY = "10.64.1.1";
const PLAIN = { bridge: "plain0", subnet: "10.70.1.0/24", gateway: "10.70.1.1/24", ip: "10.70.1.2/24" } as const;
const NAMES_OF_A_LIST = 1000;
/** One client asks as fast as it can. */
const PERMISSIONS = { ...GRANT, resolver: { ...GRANT.resolver, queriesPerSecond: 100_000 } };

const row = (id: string, what: string, aim: number): RowSpec => ({
  id,
  what,
  peer: PEER,
  unit: "ms",
  direction: "at most",
  bar: null,
  aim,
});

interface Place extends Home {
  /** Containers on the two networks. */
  readonly ours: Container;
  readonly plain: Container;
  close(): Promise<void>;
}

let opened: Promise<Place> | undefined;

async function open(): Promise<Place> {
  const undos: (() => unknown)[] = [];
  const t: TestContext = {
    cleanup: (undo) => void undos.push(undo),
    async folder() {
      const path = await mkdtemp(join(tmpdir(), "bulkhead-load-"));
      undos.push(() => rm(path, { recursive: true, force: true }));
      return path;
    },
  };
  const close = async (): Promise<void> => {
    for (const undo of undos.reverse()) await undo();
  };
  try {
    const around = await world(t);
    const { netns } = around;
    const { run: plain, name } = await around.box();
    t.cleanup(() => execFileSync("ip", ["-n", netns, "link", "delete", PLAIN.bridge]));
    plainBridge(netns, name);
    const at = await home(t, { allow: "api.example.com:80,fresh.example.com:80-82" }, PERMISSIONS, around);
    const { run: ours } = await at.container("e");
    return { ...at, ours, plain, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Connects a namespace to a bridge, as an engine does: masqueraded, with nothing in the way. Forwarding is on before the host starts, which
 * then leaves other programs' bridges alone.
 */
function plainBridge(netns: string, box: string): void {
  const { bridge, gateway, ip, subnet } = PLAIN;
  const batch = [
    `link add ${bridge} type bridge`,
    `addr add ${gateway} dev ${bridge}`,
    `link set ${bridge} up`,
    `link add plain1 type veth peer name eth0 netns ${box}`,
    `link set plain1 master ${bridge} up`,
  ];
  execFileSync("ip", ["-n", netns, "-batch", "-"], { input: batch.join("\n") });
  const inside = [`addr add ${ip} dev eth0`, "link set eth0 up", `route add default via ${gateway.split("/")[0]}`];
  execFileSync("ip", ["-n", box, "-batch", "-"], { input: inside.join("\n") });
  const table = `table ip plain { chain out { type nat hook postrouting priority 100;
      ip saddr ${subnet} oifname != "${bridge}" masquerade
    }
    }`;
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "nft", "-f", "-"], { input: table });
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
}

/** Milliseconds until a network with a list of so many names is closed and answers. */
async function create({ driver }: Place, names: number, at: number): Promise<number> {
  const nid = `list${names}-${at}`;
  const allow = Array.from({ length: names }, (_, n) => `name-${n}.example.com:443`).join(",");
  const began = performance.now();
  await driver.createNetwork(nid, generic({ subnet: `10.65.${at}.0/24`, allow }));
  const ms = performance.now() - began;
  await driver.deleteNetwork(nid);
  return ms;
}

export const egress: Measure = {
  rows: [
    { ...row("egress-connect", "egress: a listed name resolved and connected to, p50", 1.2), bar: 1.5 },
    row("egress-connect-fresh", "egress: the same with a TTL of 0, which is looked up each time, p50", 1.5),
    {
      ...row("egress-throughput", "egress: TCP throughput of one connection", 1),
      bar: 0.95,
      unit: "kB/ms",
      direction: "at least",
    },
    { ...row("egress-list", "egress: a network with a list of 1,000 names created", 1.2), peer: "a list of one name" },
  ],
  seconds: 60,
  onlyNamed: true,
  lacks: () => noKernel || undefined,
  async round({ round, ms, count, pair }) {
    opened ??= open();
    const at = await opened;
    const connects = (name: string) => {
      const what = { name, port: 80, times: count(500, 10) };
      return pair(
        () => at.ours("connects", { ...what, server: GATEWAY }),
        () => at.plain("connects", { ...what, server: NAMES }),
      );
    };
    const download = async (run: Container): Promise<number> => {
      await at.ours("resolve", { name: "fresh.example.com" });
      return (await run("download", { ip: WEB, port: 82, ms: ms(3000) })) / 1000;
    };
    return {
      "egress-connect": await connects("api.example.com"),
      "egress-connect-fresh": await connects("fresh.example.com"),
      "egress-throughput": await pair(
        () => download(at.ours),
        () => download(at.plain),
      ),
      "egress-list": await pair(
        () => create(at, NAMES_OF_A_LIST, 2 * round),
        () => create(at, 1, 2 * round + 1),
      ),
    };
  },
  async end() {
    await (await opened)?.close();
    opened = undefined;
  },
};

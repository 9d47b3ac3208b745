/** What a network of type `egress` costs its containers, against a plain bridge: names, connections, throughput. */
import { noKernel } from "../../permissions/netlink/backends.js";
import type { Container } from "../../plugins/container.js";
import { NAMES, WEB } from "../../plugins/egress-house.js";
import { generic } from "../../plugins/shipped.js";
import { type EgressPlace, openPlace } from "../egress-place.js";
import { type Figures, type Measure, median, type RowSpec } from "../row.js";

const PEER = "a plain bridge";
const GATEWAY = "10.64.1.1";
const NAMES_OF_A_LIST = 1000;
/** Turns of each side within a round: short ones, since the machine's pace changes within seconds. */
const TURNS = 20;

const row = (id: string, what: string, aim: number): RowSpec => ({
  id,
  what,
  peer: PEER,
  unit: "ms",
  direction: "at most",
  bar: null,
  aim,
});

let opened: Promise<EgressPlace> | undefined;

async function open(times: number): Promise<EgressPlace> {
  const place = await openPlace("api.example.com:80,fresh.example.com:80-82");
  // Compiled code on both sides: name servers run for longer than a benchmark.
  await byTurns(
    true,
    median,
    () => connects(place.ours, "api.example.com", GATEWAY, times),
    () => connects(place.plain, "api.example.com", NAMES, times),
  );
  return place;
}

/** Returns what `of` makes of each side's turns. The side that goes first alternates. */
async function byTurns(
  oursFirst: boolean,
  of: (turns: readonly number[]) => number,
  ours: () => Promise<number>,
  plain: () => Promise<number>,
): Promise<Figures> {
  const found = { ours: [] as number[], plain: [] as number[] };
  const take = { ours, plain };
  for (let turn = 0; turn < TURNS; turn++)
    for (const side of oursFirst === (turn % 2 === 0) ? (["ours", "plain"] as const) : (["plain", "ours"] as const))
      found[side].push(await take[side]());
  return { ours: of(found.ours), peer: of(found.plain) };
}

function connects(run: Container, name: string, server: string, times: number, anew = false): Promise<number> {
  return run("connects", { name, server, port: 80, times, anew });
}

/** Milliseconds until a network with a list of so many names is closed and answers. */
async function create({ driver }: EgressPlace, names: number, at: number): Promise<number> {
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
    row("egress-connect-asked", "egress: the same with no query like another, so that the driver is asked, p50", 1.5),
    row("egress-connect-fresh", "egress: the same with a TTL of 0, which is looked up each time, p50", 1.5),
    {
      ...row("egress-throughput", "egress: TCP throughput of one connection", 1),
      bar: 0.95,
      unit: "kB/ms",
      direction: "at least",
    },
    { ...row("egress-list", "egress: a network with a list of 1,000 names created", 1.2), peer: "a list of one name" },
  ],
  seconds: 90,
  onlyNamed: true,
  lacks: () => noKernel || undefined,
  async round({ round, ms, count, pair }) {
    opened ??= open(count(250, 2));
    const at = await opened;
    const oursFirst = round % 2 === 0;
    const both = (name: string, anew = false): Promise<Figures> => {
      const times = count(50, 2);
      return byTurns(
        oursFirst,
        median,
        () => connects(at.ours, name, GATEWAY, times, anew),
        () => connects(at.plain, name, NAMES, times, anew),
      );
    };
    const download = async (run: Container): Promise<number> =>
      (await run("download", { ip: WEB, port: 82, ms: ms(250) })) / 1000;
    return {
      "egress-connect": await both("api.example.com"),
      "egress-connect-asked": await both("api.example.com", true),
      "egress-connect-fresh": await both("fresh.example.com"),
      "egress-throughput": await byTurns(
        oursFirst,
        // What else runs only lowers it.
        (turns) => Math.max(...turns),
        async () => {
          await at.ours("resolve", { name: "fresh.example.com" });
          return download(at.ours);
        },
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

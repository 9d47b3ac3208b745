/** Docker's commands on networks of our drivers, against the engine's own bridge on the same engine. */

import { ENGINES, STOCK } from "../../docker/engine/kinds.js";
import { Play } from "../../docker/engine/play.js";
import { noEngine } from "../../docker/engine/stage.js";
import { noBubblewrap } from "../../isolation/walled.js";
import type { Measure, RowSpec } from "../row.js";

const PEER = "the engine's own bridge";
const OURS = { driver: "bulkhead-bridge", network: "ours", subnet: "10.64.1.0/24", others: "10.65" } as const;
const THEIRS = { driver: "bridge", network: "theirs", subnet: "10.64.2.0/24", others: "10.66" } as const;
/** A network of driver `egress`. */
const CONFINED = { driver: "bulkhead-egress", network: "confined", subnet: "10.66.250.0/24" } as const;
type Side = typeof OURS | typeof THEIRS;

const row = (id: string, what: string, bar: number, aim: number): RowSpec => ({
  id,
  what,
  peer: PEER,
  unit: "ms",
  direction: "at most",
  bar,
  aim,
});

/** The stage of all rounds: an engine takes longer to start than a round. */
let opened: Promise<Play> | undefined;

async function open(): Promise<Play> {
  const play = await Play.open({ kind: ENGINES.machine, variant: STOCK, hanging: true, more: ["egress"] });
  for (const side of [OURS, THEIRS, CONFINED]) {
    const options = side === CONFINED ? ["-o", "allow=203.0.113.0/24:443"] : [];
    await play.engine.docker("network", "create", "-d", side.driver, "--subnet", side.subnet, ...options, side.network);
    if (side === CONFINED) continue;
    // The first of each kind starts what stays: a worker's compiled code, the holder of ports.
    await run(play, side, PUBLISHED);
  }
  return play;
}

const PUBLISHED = ["-p", "18080:80"] as const;

/** Milliseconds of one command. */
async function took(play: Play, ...args: readonly string[]): Promise<number> {
  const { ms, code, err } = await play.engine.tryDocker(args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${err}`);
  return ms;
}

function run(play: Play, { network }: Side | typeof CONFINED, options: readonly string[] = []): Promise<number> {
  return took(play, "run", "--rm", "--network", network, ...options, "busybox", "true");
}

/** Milliseconds until the last of many containers, started at once, has ended. */
async function runMany(play: Play, side: Side, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => run(play, side)));
  return performance.now() - began;
}

async function createNetwork(play: Play, { driver, others }: Side, round: number): Promise<number> {
  const name = `${driver}-${round}`;
  const ms = await took(play, "network", "create", "-d", driver, "--subnet", `${others}.${round}.0/24`, name);
  await play.engine.docker("network", "rm", name);
  return ms;
}

export const docker: Measure = {
  rows: [
    row("docker-run", "docker run --rm … true", 1.12, 1.05),
    row("docker-run-publish", "docker run --rm -p … true", 1.15, 1.05),
    row("docker-run-50", "50 containers started at once, until the last has ended", 1.15, 1.05),
    row("docker-run-egress", "docker run --rm … true on an egress network", 1.12, 1.05),
    row("docker-network-create", "docker network create", 1, 0.8),
  ],
  seconds: 240,
  onlyNamed: true,
  lacks: () => noEngine() ?? noBubblewrap,
  async round({ round, count, pair }) {
    opened ??= open();
    const play = await opened;
    const both = (work: (side: Side) => Promise<number>) =>
      pair(
        () => work(OURS),
        () => work(THEIRS),
      );
    return {
      "docker-run": await both((side) => run(play, side)),
      "docker-run-publish": await both((side) => run(play, side, PUBLISHED)),
      "docker-run-egress": await pair(
        () => run(play, CONFINED),
        () => run(play, THEIRS),
      ),
      "docker-network-create": await both((side) => createNetwork(play, side, round)),
      "docker-run-50": await both((side) => runMany(play, side, count(50, 10))),
    };
  },
  async end() {
    await (await opened)?.close();
  },
};

/**
 * What each wall around a host process costs: none, Node's permission flags, bubblewrap without its filter of system calls, and
 * all of it. Only here is a wall taken away: to see its price.
 */
import { EndpointConfig } from "bulkhead";
import type { Wall, WallCommand } from "#dist/isolation/walls/wall.js";
import { closedLoop } from "#dist/load/closed-loop.js";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import { noBubblewrap } from "../../isolation/walled.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure, Run } from "../row.js";

type Sandbox = "none" | "node" | "bubblewrap";

const WALLS: readonly {
  readonly id: string;
  readonly what: string;
  readonly sandbox: Sandbox;
  readonly filtered: boolean;
}[] = [
  { id: "none", what: "no wall", sandbox: "none", filtered: true },
  { id: "node", what: "Node's permission flags", sandbox: "node", filtered: true },
  { id: "bubblewrap-unfiltered", what: "bubblewrap without seccomp", sandbox: "bubblewrap", filtered: false },
  { id: "bubblewrap", what: "bubblewrap with seccomp", sandbox: "bubblewrap", filtered: true },
];

const GAUGES = [
  ["start", "start to first plugin in service", "ms", "at most"],
  ["call", "one call after another, p50", "µs", "at most"],
  ["calls", "256 in flight", "calls/s", "at least"],
] as const;

function unfiltered(wall: Wall): Wall {
  const without = ({ filter: _, ...command }: WallCommand): WallCommand => {
    const at = command.args.indexOf("--seccomp");
    return { ...command, args: command.args.filter((_, index) => at < 0 || (index !== at && index !== at + 1)) };
  };
  return { ...wall, command: (dataMb, trial) => without(wall.command(dataMb, trial)) };
}

async function gauge({ sandbox, filtered }: (typeof WALLS)[number], run: Run): Promise<readonly number[]> {
  const parts = filtered ? {} : { wall: unfiltered };
  const began = performance.now();
  const house = await openHouse({ plugins: { load: driverSource() }, policy: { sandbox }, parts });
  try {
    const start = performance.now() - began;
    const driver = house.host.driver("load");
    await driver.createNetwork(LOAD_NETWORK);
    const call = (n: number): Promise<void> => {
      const { nid, eid, options } = loadRequest(n);
      return driver.createEndpoint(nid, eid, new EndpointConfig(), options);
    };
    const one = await closedLoop(call, { inFlight: 1, ms: run.ms(400) });
    const many = await closedLoop(call, { inFlight: 256, ms: run.ms(600), first: one.next });
    return [start, one.latency.p50, many.perSecond];
  } finally {
    await house.stop();
  }
}

export const walls: Measure = {
  rows: WALLS.flatMap(({ id, what }) =>
    GAUGES.map(([key, gauged, unit, direction]) => ({
      id: `wall-${id}-${key}`,
      what: `${what}: ${gauged}`,
      peer: "no wall",
      unit,
      direction,
      bar: null,
    })),
  ),
  seconds: 7,
  rounds: 1,
  lacks: () => noBubblewrap || undefined,
  async round(run) {
    const figures: Record<string, Figures> = {};
    let none: readonly number[] = [];
    for (const wall of WALLS) {
      const mine = await gauge(wall, run);
      if (wall.id === "none") none = mine;
      for (const [index, [key]] of GAUGES.entries())
        figures[`wall-${wall.id}-${key}`] = { ours: mine[index] ?? Number.NaN, peer: none[index] ?? Number.NaN };
    }
    return figures;
  },
};

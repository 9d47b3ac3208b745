/** Other work than `createEndpoint`, 256 in flight: the whole lifecycle, a driver that calls back, options of 64 KiB. */
import { EndpointConfig, type HostedDriver } from "bulkhead";
import { closedLoop, type Target } from "#dist/load/closed-loop.js";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";
import { workOn } from "#dist/load/work.js";
import { withPeer } from "../gauges.js";
import { openHouse } from "../hosts.js";
import { rawEcho } from "../peers/raw-echo.js";
import { driverSource } from "../plugins.js";
import type { Figures, Measure } from "../row.js";

const ISOLATIONS = ["thread", "process"] as const;
/** Adds up to 64 KiB with what stands around it. */
const BIG = { "com.docker.network.generic": { blob: "x".repeat(65_000) } };

interface Kind {
  readonly id: string;
  readonly what: string;
  readonly source: string;
  target(driver: HostedDriver): Target;
}

const creates =
  (driver: HostedDriver, more = {}): Target =>
  (n) => {
    const { nid, eid, options } = loadRequest(n);
    return driver.createEndpoint(nid, eid, new EndpointConfig(), { ...options, ...more });
  };

const KINDS: readonly Kind[] = [
  {
    id: "lifecycle",
    what: "whole lifecycles, 7 calls each",
    source: driverSource(),
    target: (driver) => workOn(driver, "network"),
  },
  {
    id: "store",
    what: "createEndpoint that calls back to set a key of its store",
    source: driverSource({
      init: "const { store } = powers;",
      methods: `async createEndpoint(nid, eid, epInfo) { await store.set(eid.slice(-2), { eid }); epInfo.addInterface(0, "", "10.1.0.2/16", ""); },`,
    }),
    target: (driver) => creates(driver),
  },
  {
    id: "options-64k",
    what: "createEndpoint with options of 64 KiB",
    source: driverSource(),
    target: (driver) => async (n) => {
      await creates(driver, BIG)(n);
      await driver.deleteEndpoint(LOAD_NETWORK, loadRequest(n).eid);
    },
  },
];

export const work: Measure = {
  rows: KINDS.flatMap(({ id, what }) =>
    ISOLATIONS.map((isolation) => ({
      id: `work-${id}-${isolation}`,
      what: `${what}, ${isolation} isolation, 256 in flight`,
      peer: "one raw postMessage echo",
      unit: "units/s",
      direction: "at least" as const,
      bar: null,
    })),
  ),
  seconds: 9,
  rounds: 1,
  async round(run) {
    const loop = { inFlight: 256, ms: run.ms(800) };
    const peer = await withPeer(rawEcho, async ({ call }) => (await closedLoop(call, loop)).perSecond);
    const figures: Record<string, Figures> = {};
    for (const { id, source, target } of KINDS) {
      for (const isolation of ISOLATIONS) {
        const house = await openHouse({ isolation, plugins: { load: source } });
        try {
          const driver = house.host.driver("load");
          await driver.createNetwork(LOAD_NETWORK);
          const { perSecond } = await closedLoop(target(driver), loop);
          figures[`work-${id}-${isolation}`] = { ours: perSecond, peer };
        } finally {
          await house.stop();
        }
      }
    }
    return figures;
  },
};

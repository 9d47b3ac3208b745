/** Good neighbours' p99, open loop, while a spinner, an allocator and a flooder are provoked as often as the breaker lets them. */
import { EndpointConfig, type PluginHost } from "bulkhead";
import { openLoop } from "#dist/load/open-loop.js";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";

const ID = "neighbours-hostile";
const GOOD = ["good1", "good2", "good3", "good4"];
/** Of all good ones together: far from what they bear. */
const PER_SECOND = 1000;
const HOSTILE: Readonly<Record<string, string>> = {
  spinner: `endpointOperInfo() { for (;;); },`,
  allocator: `endpointOperInfo() { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); },`,
  flooder: `async endpointOperInfo() { for (let i = 0; ; i++) { callback.registerDriver("flood" + i, { type: () => "flood" + i }, { scope: "local" }).catch(() => {}); if (i % 1000 === 0) await null; } },`,
};

const plugins: Readonly<Record<string, string>> = {
  ...Object.fromEntries(GOOD.map((type) => [type, driverSource({ type })])),
  ...Object.fromEntries(Object.entries(HOSTILE).map(([type, methods]) => [type, driverSource({ type, methods })])),
};

/** Asks for trouble again and again; one whose breaker is open is loaded again. */
async function provoke(host: PluginHost, type: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const failed = await host
      .driver(type)
      .endpointOperInfo("n", "e", { signal: over })
      .catch((error: { readonly code?: string }) => error.code);
    if (failed === "ERR_PLUGIN_UNAVAILABLE") await host.reload(type).catch(() => {});
  }
}

export const neighboursHostile: Measure = {
  rows: [
    {
      id: ID,
      what: "good neighbours' p99 with 3 hostile plugins running, process isolation",
      peer: "the same neighbours alone",
      unit: "µs",
      direction: "at most",
      bar: 5,
      aim: 1.5,
    },
  ],
  seconds: 28,
  async round(run) {
    const short = { timeouts: { endpointOperInfo: 500 } };
    const policy = { plugins: Object.fromEntries(Object.keys(HOSTILE).map((type) => [type, short])) };
    const house = await openHouse({ plugins, policy });
    try {
      const { host } = house;
      for (const type of [...GOOD, ...Object.keys(HOSTILE)]) {
        await host.driver(type).createNetwork("n");
        await host.driver(type).createEndpoint("n", "e", new EndpointConfig());
      }
      const ask = (n: number): Promise<unknown> =>
        host.driver(GOOD[n % GOOD.length] as string).endpointOperInfo("n", "e");
      const p99 = async (): Promise<number> => {
        const { latency } = await openLoop(ask, { perSecond: PER_SECOND, ms: run.ms(1500) });
        return latency.p99;
      };
      const alone = await p99();
      const over = new AbortController();
      const provoked = Object.keys(HOSTILE).map((type) => provoke(host, type, over.signal));
      const beset = await p99().finally(() => over.abort());
      await Promise.all(provoked);
      return { [ID]: { ours: beset, peer: alone } };
    } finally {
      await house.stop();
    }
  },
};

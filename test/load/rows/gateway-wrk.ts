/** Docker's protocol, served: requests per second with wrk, journal on disk, against a bare server that answers a constant. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DriverCalls } from "#dist/docker/driver-calls.js";
import { DOCKER } from "#dist/docker/limits.js";
import { RecentEndpoints } from "#dist/docker/recent-endpoints.js";
import { createServer as createGateway } from "#dist/docker/server.js";
import { viewOf } from "#dist/host/plugin-host.js";
import { LOAD_NETWORK } from "#dist/load/request.js";
import { SILENT } from "../../kit/logger.js";
import { openHouse } from "../hosts.js";
import { TAKES_GIVEN } from "../plugins.js";
import type { Measure } from "../row.js";
import { LAG, noWrk, wrk } from "../wrk.js";

const ID = "gateway-wrk";
const CONSTANT = JSON.stringify({ Interface: { MacAddress: "02:42:0a:01:00:02" } });

/** The gateway's own server, as `DockerGateway` makes it for each type, on a port instead of its socket. */
async function gateway(ms: number): Promise<number> {
  const house = await openHouse({ durable: true, plugins: { load: TAKES_GIVEN } });
  try {
    const driver = house.host.driver("load");
    const view = viewOf(house.host, "load");
    if (!view) throw new Error("the host is not one of ours");
    await driver.createNetwork(LOAD_NETWORK);
    const failed = (error: unknown): void => console.error(error);
    const serving = {
      calls: new DriverCalls({ driver, view, logger: SILENT, recent: new RecentEndpoints(), engine: undefined }),
      view,
    };
    const server = createGateway({ serving: () => serving, answerMs: DOCKER.answerMs, failed });
    try {
      const perSecond = await wrk(await server.listen({ host: "127.0.0.1", port: 0 }), ms);
      // What a driver refuses is an answer too, to wrk; deletes of what was never made are no failure.
      const { calls = 0, errors = 0 } = house.host.plugins()[0]?.counters ?? {};
      if (errors - 2 * LAG > calls / 10) throw new Error(`the gateway: ${errors} of ${calls} calls failed`);
      return perSecond;
    } finally {
      await server.close();
    }
  } finally {
    await house.stop();
  }
}

async function bare(ms: number): Promise<number> {
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.setHeader("content-type", "application/json").end(CONSTANT));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await wrk(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, ms);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

export const gatewayWrk: Measure = {
  rows: [
    {
      id: ID,
      what: "Docker gateway, journal on disk, process isolation, wrk at 64 connections",
      peer: "bare http server answering a constant",
      unit: "requests/s",
      direction: "at least",
      bar: 0.5,
      aim: 0.8,
    },
  ],
  seconds: 23,
  lacks: noWrk,
  round: async (run) => ({
    [ID]: await run.pair(
      () => gateway(run.ms(1000)),
      () => bare(run.ms(1000)),
    ),
  }),
};

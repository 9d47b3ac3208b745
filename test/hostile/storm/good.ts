/** The good plugins of a storm: each answers by a rule of its own that the caller knows too. */
import { createHash } from "node:crypto";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { JsonObject } from "#dist/driverapi/json.js";
import type { HostedDriver } from "#dist/driverapi/types.js";
import { plugin } from "../../kit/plugins.js";

export const NETWORK = "net";
/** Endpoints of one good plugin; a call's number says which one it asks about. */
const ENDPOINTS = 32;

const secretOf = (name: string): string => createHash("sha256").update(name).digest("hex");

/** Forgets nothing that the host does not give back: an endpoint it was not told of is an error. */
export function goodPlugin(name: string): string {
  return plugin(name, {
    top: "const known = new Set();",
    methods: `
    createEndpoint(nid, eid) { known.add(eid); }, deleteEndpoint(nid, eid) { known.delete(eid); },
    endpointOperInfo(nid, eid) {
      if (!known.has(eid)) throw new Error("unknown endpoint " + eid);
      return { nid, eid, secret: "${secretOf(name)}".slice(eid.length) + eid };
    },`,
  });
}

/** Its network and endpoints. */
export async function furnish(driver: HostedDriver): Promise<void> {
  await driver.createNetwork(NETWORK);
  for (let n = 0; n < ENDPOINTS; n++) await driver.createEndpoint(NETWORK, `e${n}`, new EndpointConfig());
}

export interface Question {
  readonly eid: string;
  readonly expected: JsonObject;
}

/** What the `n`-th call of a plugin asks, and what it must be told. */
export function question(name: string, n: number): Question {
  const eid = `e${n % ENDPOINTS}`;
  return { eid, expected: { nid: NETWORK, eid, secret: secretOf(name).slice(eid.length) + eid } };
}

/** Rules that a driver must follow itself, tested without the host's bookkeeping: every call reaches it. */
import { EndpointConfig } from "../../driverapi/endpoint-config.js";
import { JoinConfig } from "../../driverapi/join-config.js";
import { expectKind } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import { dockerId, sandboxKey, type Trial } from "../trial.js";

const UNKNOWN = dockerId("unknown");

/** The calls that name an endpoint, by method. */
const ENDPOINT_CALLS = {
  deleteEndpoint: ({ driver }, nid, eid) => driver.deleteEndpoint(nid, eid),
  endpointOperInfo: ({ driver }, nid, eid) => driver.endpointOperInfo(nid, eid),
  join: ({ driver }, nid, eid) => driver.join(nid, eid, sandboxKey(eid), new JoinConfig([])),
  leave: ({ driver }, nid, eid) => driver.leave(nid, eid),
} as const satisfies Record<string, (trial: Trial, nid: string, eid: string) => Promise<unknown>>;

type EndpointCall = keyof typeof ENDPOINT_CALLS;

export const ALONE_RULES: readonly RuleRow[] = [
  unknownNetwork("deleteNetwork", ({ driver }) => driver.deleteNetwork(UNKNOWN)),
  unknownNetwork("createEndpoint", ({ driver }) =>
    driver.createEndpoint(UNKNOWN, dockerId("one"), new EndpointConfig()),
  ),
  ...(Object.keys(ENDPOINT_CALLS) as EndpointCall[]).flatMap((call) => [
    unknownNetwork(call, (trial) => ENDPOINT_CALLS[call](trial, UNKNOWN, dockerId("one"))),
    unknownEndpoint(call),
  ]),
  {
    id: "network-of-the-endpoint",
    says: "An endpoint is found on its own network alone.",
    seed: SEED.endpointOperInfo,
    host: "alone",
    async try(trial) {
      const [one, two] = [await trial.createNetwork(), await trial.createNetwork()];
      const { eid } = await trial.createEndpoint(one.nid);
      await expectKind("NotFound", trial.driver.deleteEndpoint(two.nid, eid), "deleteEndpoint by another network's id");
      await trial.driver.endpointOperInfo(one.nid, eid);
    },
  },
  {
    id: "duplicate-network",
    says: "A network id that is in use is Forbidden, and the network stays as it was.",
    seed: SEED.createNetwork,
    host: "alone",
    async try(trial) {
      const plan = await trial.createNetwork();
      const { eid } = await trial.createEndpoint(plan.nid);
      await expectKind("Forbidden", trial.createNetwork(plan), "createNetwork with an id in use");
      await trial.driver.endpointOperInfo(plan.nid, eid);
    },
  },
  {
    id: "duplicate-endpoint",
    says: "An endpoint id that is in use is Forbidden, and the endpoint stays as it was.",
    seed: SEED.createEndpoint,
    host: "alone",
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const { eid } = await trial.createEndpoint(nid);
      await expectKind("Forbidden", trial.createEndpoint(nid, [], eid), "createEndpoint with an id in use");
      await trial.driver.endpointOperInfo(nid, eid);
    },
  },
  {
    id: "network-in-use",
    says: "Deleting a network that has endpoints is Forbidden, and it goes on.",
    seed: SEED.deleteNetwork,
    host: "alone",
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const { eid } = await trial.createEndpoint(nid);
      await expectKind("Forbidden", trial.driver.deleteNetwork(nid), "deleteNetwork with an endpoint");
      await trial.driver.deleteEndpoint(nid, eid);
      await trial.driver.deleteNetwork(nid);
    },
  },
  {
    id: "deletes-twice",
    says: "What was deleted is NotFound afterwards.",
    seed: SEED.deleteEndpoint,
    host: "alone",
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const { eid } = await trial.createEndpoint(nid);
      await trial.driver.deleteEndpoint(nid, eid);
      await expectKind("NotFound", trial.driver.deleteEndpoint(nid, eid), "a second deleteEndpoint");
      await trial.driver.deleteNetwork(nid);
      await expectKind("NotFound", trial.driver.deleteNetwork(nid), "a second deleteNetwork");
    },
  },
];

function unknownNetwork(
  method: "deleteNetwork" | "createEndpoint" | EndpointCall,
  call: (trial: Trial) => Promise<unknown>,
): RuleRow {
  return {
    id: `unknown-network-${method}`,
    says: `${method}() for a network that does not exist is NotFound.`,
    seed: SEED[method],
    host: "alone",
    async try(trial) {
      await trial.createNetwork();
      await expectKind("NotFound", call(trial), `${method} with an unknown network`);
    },
  };
}

function unknownEndpoint(method: EndpointCall): RuleRow {
  return {
    id: `unknown-endpoint-${method}`,
    says: `${method}() for an endpoint that does not exist is NotFound.`,
    seed: SEED[method],
    host: "alone",
    async try(trial) {
      const { nid } = await trial.createNetwork();
      await trial.createEndpoint(nid);
      await expectKind("NotFound", ENDPOINT_CALLS[method](trial, nid, UNKNOWN), `${method} with an unknown endpoint`);
    },
  };
}

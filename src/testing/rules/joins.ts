/** Rules about joins. */
import { expect, expectEqual } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import { addressesOf } from "./endpoints.js";

export const JOIN_RULES: readonly RuleRow[] = [
  {
    id: "join",
    says: "A sandbox can join an endpoint.",
    seed: SEED.join,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      await trial.join(await trial.createEndpoint(nid));
    },
  },
  {
    id: "join-names-interfaces",
    says: "Names are set for interfaces of the endpoint alone, a link's name and a prefix each.",
    seed: SEED.nameId,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      const ids = endpoint.config.interfaces().map((one) => one.id());
      for (const { id, srcName, dstPrefix } of (await trial.join(endpoint)).toJSON().names) {
        expect(ids.includes(id), `names are set for interface ${id}, which the endpoint does not have`);
        expect(srcName !== "" && dstPrefix !== "", `interface ${id} has "${srcName}" and "${dstPrefix}" for names`);
      }
    },
  },
  {
    id: "join-names-own-links",
    says: "No link is handed to two sandboxes.",
    seed: SEED.setNames,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const names: string[] = [];
      for (let n = 0; n < 8; n++) {
        const joined = await trial.join(await trial.createEndpoint(nid));
        names.push(...joined.toJSON().names.map(({ srcName }) => srcName));
      }
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      expect(twice === undefined, `link ${twice} is handed to two sandboxes`);
    },
  },
  {
    id: "join-gateway",
    says: "The default gateway is another than the endpoint's own address.",
    seed: SEED.gateway,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      const joined = await trial.join(endpoint);
      const own = addressesOf(endpoint.config.toJSON());
      for (const gateway of [joined.gateway(), joined.gatewayIPv6()]) {
        expect(gateway === "" || !own.includes(gateway), `the gateway ${gateway} is the endpoint's own address`);
      }
    },
  },
  {
    id: "join-given",
    says: "An endpoint whose interfaces were given can be joined as well.",
    seed: SEED.given,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid, await trial.given(nid));
      await trial.join(endpoint);
      await trial.driver.leave(nid, endpoint.eid);
      await trial.driver.deleteEndpoint(nid, endpoint.eid);
    },
  },
  {
    id: "leave",
    says: "After a leave the endpoint can be joined again, with the same result.",
    seed: SEED.leave,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      const first = (await trial.join(endpoint)).toJSON();
      await trial.driver.leave(nid, endpoint.eid);
      expectEqual((await trial.join(endpoint)).toJSON(), first, "what the second join sets");
      await trial.driver.leave(nid, endpoint.eid);
      await trial.driver.deleteEndpoint(nid, endpoint.eid);
    },
  },
];

/** Rules about networks. */
import { expectEqual } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";

export const NETWORK_RULES: readonly RuleRow[] = [
  {
    id: "create-network",
    says: "A network is created from its id and options.",
    seed: SEED.createNetwork,
    async try(trial) {
      await trial.createNetwork();
    },
  },
  {
    id: "networks-apart",
    says: "Several networks are there at the same time, created and deleted at once.",
    seed: SEED.createNetwork,
    async try(trial) {
      const plans = Array.from({ length: 4 }, () => trial.planNetwork());
      await Promise.all(plans.map((plan) => trial.createNetwork(plan)));
      await Promise.all(
        plans.map(({ nid }) => trial.createEndpoint(nid).then(({ eid }) => trial.driver.deleteEndpoint(nid, eid))),
      );
      await Promise.all(plans.map(({ nid }) => trial.driver.deleteNetwork(nid)));
    },
  },
  {
    id: "delete-network",
    says: "A deleted network is gone: its id and its options can be used again.",
    seed: SEED.deleteNetwork,
    async try(trial) {
      const plan = await trial.createNetwork();
      await trial.driver.deleteNetwork(plan.nid);
      await trial.createNetwork(plan);
      await trial.driver.deleteNetwork(plan.nid);
      await trial.createNetwork({ ...trial.planNetwork(), options: plan.options });
    },
  },
  {
    id: "networks-leave-nothing",
    says: "Networks can be created and deleted without limit, and leave no link behind.",
    seed: SEED.deleteNetwork,
    async try(trial) {
      const links = await trial.host.links();
      const plan = trial.planNetwork();
      for (let round = 0; round < trial.rounds; round++) {
        await trial.createNetwork(plan);
        await trial.driver.deleteNetwork(plan.nid);
      }
      expectEqual(await trial.host.links(), links, "links that are left");
    },
  },
];

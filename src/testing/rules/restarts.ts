/** Rules about a worker that ends at any moment of a network's life. */
import { expect, expectEqual, outcome, told } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import { addressesOf } from "./endpoints.js";
import { LIFE, Life, type LifeStep } from "./life.js";

export const RESTART_RULES: readonly RuleRow[] = [
  ...LIFE.map(restartBefore),
  ...LIFE.map(restartDuring),
  {
    id: "restart-keeps-addresses",
    says: "After a restart no address is given twice, and one that is given back is free again.",
    seed: SEED.address,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const before = [
        await trial.createEndpoint(nid),
        await trial.createEndpoint(nid),
        await trial.createEndpoint(nid),
      ];
      await trial.host.kill();
      const after = await trial.createEndpoint(nid);
      const taken = before.flatMap(({ config }) => addressesOf(config.toJSON()));
      const twice = addressesOf(after.config.toJSON()).find((address) => taken.includes(address));
      expect(twice === undefined, `${twice} was given to another endpoint before the restart`);
      const [first] = before;
      if (first === undefined) return;
      await trial.driver.deleteEndpoint(nid, first.eid);
      await trial.createEndpoint(nid, first.config.toJSON(), first.eid);
    },
  },
  {
    id: "restart-keeps-joins",
    says: "After a restart a joined sandbox is still joined, and can leave and join again with the same result.",
    seed: SEED.join,
    async try(trial) {
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      const before = (await trial.join(endpoint)).toJSON();
      await trial.host.kill();
      await trial.driver.leave(nid, endpoint.eid);
      expectEqual((await trial.join(endpoint)).toJSON(), before, "what the join after a restart sets");
    },
  },
];

function restartBefore(step: LifeStep, index: number): RuleRow {
  return {
    id: `restart-before-${step}`,
    says: `If the worker ends before ${step}(), ${step}() works nevertheless.`,
    seed: SEED[step],
    async try(trial) {
      const life = await Life.of(trial);
      await life.steps(LIFE.slice(0, index));
      await trial.host.kill();
      await life.end(LIFE.slice(index));
    },
  };
}

function restartDuring(step: LifeStep, index: number): RuleRow {
  return {
    id: `restart-during-${step}`,
    says: `If the worker ends during ${step}(), the call succeeds, or can be repeated successfully.`,
    seed: SEED[step],
    async try(trial) {
      const life = await Life.of(trial);
      await life.steps(LIFE.slice(0, index));
      const first = outcome(life.step(step));
      await new Promise((resolve) => setImmediate(resolve));
      await trial.host.kill();
      const error = await first;
      expect(error === undefined || error.retry, `${step} of a worker that ended rejects with ${told(error)}`);
      if (error) await life.retry(step);
      await life.end(LIFE.slice(index + 1));
    },
  };
}

/** Rules about a driver as a whole. */
import { expect, expectEqual } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";

export const DRIVER_RULES: readonly RuleRow[] = [
  {
    id: "nine-methods",
    says: "The nine methods are there, and each answers, in a network's whole life.",
    seed: SEED.driver,
    async try(trial) {
      const { driver } = trial;
      await driver.config({});
      const { nid } = await trial.createNetwork();
      const endpoint = await trial.createEndpoint(nid);
      await driver.endpointOperInfo(nid, endpoint.eid);
      await trial.join(endpoint);
      await driver.leave(nid, endpoint.eid);
      await driver.deleteEndpoint(nid, endpoint.eid);
      await driver.deleteNetwork(nid);
      expect(driver.type().length > 0, "type() gives an empty name");
    },
  },
  {
    id: "type",
    says: "type() is the name the driver is registered under.",
    seed: SEED.type,
    async try({ driver, host }) {
      const types = host.host.plugins()[0]?.drivers ?? [];
      expect(types.includes(driver.type()), `type() is "${driver.type()}", registered are ${types.join(", ")}`);
    },
  },
  {
    id: "registers-again",
    says: "A fresh worker registers the same types as the one before.",
    seed: SEED.register,
    async try({ host, driver }) {
      const before = host.host.plugins()[0]?.drivers;
      await host.kill();
      expectEqual(host.host.plugins()[0]?.drivers, before, "drivers after a restart");
      await driver.config({});
    },
  },
  {
    id: "config",
    says: "config() accepts an empty configuration, more than once, and while there are networks.",
    seed: SEED.config,
    async try(trial) {
      await trial.driver.config({});
      await trial.driver.config({});
      const { nid } = await trial.createNetwork();
      await trial.driver.config({});
      await trial.createEndpoint(nid);
    },
  },
];

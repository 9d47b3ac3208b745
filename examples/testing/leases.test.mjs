/** Tests the driver against the contract's rules and its own. Run `node --test leases.test.mjs`; other test frameworks work too. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createTestHost, driverContract, EndpointConfig } from "bulkhead/testing";

const plugin = fileURLToPath(new URL("leases.js", import.meta.url));

describe("the contract", () => {
  const rules = driverContract({
    plugin,
    network: (n) => ({ "com.docker.network.generic": { range: `10.97.${n}` } }),
    rounds: 20,
    except: { "addresses-are-unique": "it creates 16 endpoints, and a network of ours has 13 addresses" },
  });
  for (const rule of rules) it(`${rule.id}: ${rule.says}`, () => rule.run());
});

describe("leases", () => {
  it("are refused when none is left, and free again after a delete", async () => {
    const host = await createTestHost({ plugin });
    try {
      const driver = host.driver();
      await driver.createNetwork("n");
      for (let n = 0; n < 13; n++) await driver.createEndpoint("n", `e${n}`, new EndpointConfig());
      await assert.rejects(driver.createEndpoint("n", "one-more", new EndpointConfig()), { kind: "Forbidden" });
      await driver.deleteEndpoint("n", "e4");
      await host.kill(); // a crash: the host replays the leases to the next worker
      const last = new EndpointConfig();
      await driver.createEndpoint("n", "one-more", last);
      assert.equal(last.interfaces()[0].address(), "10.97.0.6/28");
    } finally {
      await host.close();
    }
  });
});

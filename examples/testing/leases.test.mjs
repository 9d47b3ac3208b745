/** `node --test examples/testing/`: the contract's rules, and what is this driver's own. Any other test framework will do. */
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
  it("are refused when there are none left, and free again when they are given back", async () => {
    const host = await createTestHost({ plugin });
    try {
      const driver = host.driver();
      await driver.createNetwork("n");
      for (let n = 0; n < 13; n++) await driver.createEndpoint("n", `e${n}`, new EndpointConfig());
      await assert.rejects(driver.createEndpoint("n", "one-more", new EndpointConfig()), { kind: "Forbidden" });
      await driver.deleteEndpoint("n", "e4");
      await host.kill(); // as if it had crashed: what it had leased is replayed to the next worker
      const last = new EndpointConfig();
      await driver.createEndpoint("n", "one-more", last);
      assert.equal(last.interfaces()[0].address(), "10.97.0.6/28");
    } finally {
      await host.close();
    }
  });
});

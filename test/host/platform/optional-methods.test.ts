/** The optional methods of external connectivity: a driver has both or neither, and they are taken once. */
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { house } from "../../kit/host.js";
import { driver, plugin } from "../../kit/plugins.js";

const test = suite("host/platform/optional-methods");

/** What a platform asks of an endpoint's ports, with the pair or without. */
async function ports(host: Awaited<ReturnType<Awaited<ReturnType<typeof house>>["open"]>>): Promise<void> {
  const served = host.driver("a");
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", new EndpointConfig());
  await served.programExternalConnectivity("n", "e", { port: 80 });
  await served.revokeExternalConnectivity("n", "e");
}

for (const [what, methods] of Object.entries({
  "program alone": "programExternalConnectivity() {},",
  "revoke alone": "revokeExternalConnectivity() {},",
  "one that is not a function": "programExternalConnectivity() {}, revokeExternalConnectivity: 1,",
  "one that is null": "programExternalConnectivity: null, revokeExternalConnectivity() {},",
})) {
  test(`a driver with ${what} is refused`, async (t) => {
    const { open } = await house(t, {
      "a.js": `export const init = (c) => c.registerDriver("a", ${driver("a", methods)}, { scope: "local" });`,
    });
    const [row] = (await open()).plugins();
    assert.match(row?.refusal?.message ?? "", /ERR_DRIVER_SHAPE|together, or none|is not a method/);
    assert.equal(row?.drivers, []);
  });
}

test("a driver with the nine alone is asked nothing more, and both calls resolve", async (t) => {
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open();
  await ports(host);
  assert.equal(host.plugins()[0]?.external, []);
});

test("what stands behind a getter is read once, at registration", async (t) => {
  const { open, log } = await house(t, {
    "a.js": plugin("a", {
      top: "let reads = 0;",
      methods: `
        get programExternalConnectivity() {
          console.log("@read " + ++reads);
          return reads > 1 ? undefined : () => console.log("@programmed");
        },
        revokeExternalConnectivity: () => console.log("@revoked"),`,
    }),
  });
  const host = await open();
  await ports(host);
  assert.equal(host.plugins()[0]?.external, ["a"]);
  const told = log.flatMap(({ text }) => (text.startsWith("@") ? [text.slice(1)] : []));
  assert.equal(told, ["read 1", "programmed", "revoked"]);
});

test("a version without the pair is refused while ports are programmed, and the old one stays", async (t) => {
  const pair = "programExternalConnectivity() {}, revokeExternalConnectivity() {},";
  const { open, put } = await house(t, { "a.js": plugin("a", { methods: pair }) });
  const host = await open();
  const served = host.driver("a");
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", new EndpointConfig());
  await served.programExternalConnectivity("n", "e", { port: 80 });
  await put({ "a.js": plugin("a") });
  const error = await rejection(host.reload("a"));
  assert.match(error.message, /programmed, and the driver has no programExternalConnectivity\(\) any more/);
  assert.equal(host.plugins()[0]?.external, ["a"]);
  await served.revokeExternalConnectivity("n", "e");
  await host.reload("a");
  assert.equal(host.plugins()[0]?.external, []);
  await served.revokeExternalConnectivity("n", "e");
});

test.run();

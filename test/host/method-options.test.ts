/** Options of the host's methods and of `bulkhead/testing`: an unknown one is refused with the nearest there is, and nothing is done. */
import { attachSandbox } from "#dist/index.js";
import { createTestHost, driverContract } from "#dist/testing.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { type House, house, row, thrown } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host: options of methods");

const withOne = (t: TestContext): Promise<House> => house(t, { "one.js": plugin("one") });

test("unload and attach", async (t) => {
  const host = await (await withOne(t)).open();
  await host.driver("one").createNetwork("n");
  const cases: readonly (readonly [call: () => Promise<unknown>, says: RegExp])[] = [
    [() => host.unload("one", { forc: true } as never), /^unload: unknown option "forc"; did you mean "force"\?$/],
    [() => host.unload("one", true as never), /^unload: expected an object with force; got true$/],
    [() => host.unload("one", { force: "no" } as never), /^unload: option "force" must be true or false, not "no"$/],
    [
      () => host.attach({ type: "one", nid: "n", eid: "e", sandbx: "s" } as never),
      /^attach: unknown option "sandbx"; did you mean "sandbox"\?$/,
    ],
    [() => host.attach("n" as never), /^attach: expected an object with type, nid, eid, sandbox; got "n"$/],
    [
      () => attachSandbox({ sandbox: "s", endpoint: [], join: {}, netns: "x" } as never),
      /^attachSandbox: unknown option "netns"$/,
    ],
  ];
  for (const [call, says] of cases) {
    const error = await rejection(call());
    assert.is(error.code, "ERR_OPTIONS");
    assert.match(error.message, says);
  }
  assert.is(row(host, "one").state, "running");
});

test("createTestHost and driverContract", async (t) => {
  const path = `${(await withOne(t)).plugins}/one.js`;
  const host = await rejection(createTestHost({ plugin: path, polcy: {} } as never));
  assert.equal(
    [host.code, host.message],
    ["ERR_OPTIONS", 'createTestHost: unknown option "polcy"; did you mean "policy"?'],
  );
  const contract = thrown(() => driverContract({ plugin: path, round: 2 } as never));
  assert.is(contract.message, 'driverContract: unknown option "round"; did you mean "rounds"?');
});

test.run();

/** `powers.netlink` as a plugin sees it: the worker's half over the host's. */
import type { Json } from "#dist/driverapi/json.js";
import { createNetlinkHub } from "#dist/permissions/netlink/hub.js";
import { endow } from "#dist/permissions/netlink/worker.js";
import type { HostPort } from "#dist/permissions/permission.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { compartmentWith, walk } from "../tamper.js";
import { LIMITS_FOR_TESTS } from "./backends.js";

const test = suite("powers.netlink");

/** Both halves, joined by JSON text as the link joins them. */
function open(t: TestContext) {
  const hub = createNetlinkHub({ backend: "model", logger: SILENT });
  t.cleanup(() => hub.close());
  const host = hub.open("bridge", LIMITS_FOR_TESTS);
  const asked: string[] = [];
  const port: HostPort = {
    notify() {},
    async request(name, args) {
      asked.push(name);
      try {
        return JSON.parse(JSON.stringify(await host.methods?.get(name)?.(JSON.parse(JSON.stringify(args))))) as Json;
      } catch (error) {
        const { message, code } = error as Error & { code: string };
        throw Object.assign(new Error(message), { code });
      }
    },
  };
  const endowment = endow(LIMITS_FOR_TESTS, port);
  const compartment = compartmentWith({ netlink: endowment });
  return {
    asked,
    endowment,
    run: (source: string): Promise<unknown> => compartment.evaluate(`(async (net) => ${source})(powers.netlink)`),
  };
}

const codeOf = (source: string): string =>
  `{ try { await ${source}; return "taken"; } catch (e) { return e instanceof Error && e.stack === "" && e.code; } }`;

test("works as documented", async (t) => {
  const { run } = open(t);
  const seen = await run(`{
    const { name, up } = await net.createLink({ kind: "bridge", name: "bh-b" });
    const answers = [name, up, await net.setLink("bh-b", { up: true }), await net.addAddress("bh-b", "10.64.0.1/24")];
    answers.push(await net.addRoute({ destination: "10.65.0.0/16", dev: "bh-b" }), await net.deleteRoute({ destination: "10.65.0.0/16", dev: "bh-b" }));
    answers.push((await net.links())[0].addresses, await net.deleteAddress("bh-b", "10.64.0.1/24"), await net.deleteLink("bh-b"), await net.links());
    return answers;
  }`);
  assert.equal(seen, [
    "bh-b",
    false,
    undefined,
    undefined,
    undefined,
    undefined,
    ["10.64.0.1/24"],
    undefined,
    undefined,
    [],
  ]);
});

test("refusals and failures come with their codes", async (t) => {
  const { run } = open(t);
  assert.is(await run(codeOf('net.createLink({ kind: "bridge", name: "eth0" })')), "ERR_NETLINK_REFUSED");
  assert.is(await run(codeOf('net.deleteLink("bh-none")')), "ERR_NETLINK_FAILED");
  assert.is(await run(codeOf("net.deleteLink()")), "ERR_NETLINK_REFUSED");
  const remote = `{ host: "192.0.2.2", mac: "02:42:0a:40:00:02", routes: [{ destination: "10.65.2.0/24", via: "10.65.2.0" }] }`;
  assert.match(
    (await run(`net.setRemote("bh-x", ${remote}).catch((e) => e.message)`)) as string,
    /rule "remote".*192\.0\.2\.2/,
  );
  assert.is(await run(codeOf('net.remotes("bh-none")')), "ERR_NETLINK_FAILED");
  assert.match((await run('net.deleteLink("lo").catch((e) => e.message)')) as string, /rule "name".*"lo"/);
});

test("what is not plain JSON does not cross", async (t) => {
  const { run, asked } = open(t);
  for (const value of [
    "() => 1",
    "Symbol()",
    "1n",
    "NaN",
    "new Map()",
    "{ get name() { throw 1; } }",
    "{ kind: 'bridge', name: () => 1 }",
    "(() => { const o = {}; o.o = o; return o; })()",
    "new Proxy({}, { ownKeys() { throw new Proxy({}, { get() { throw 1; } }); } })",
    "'x'.repeat(2 ** 20)",
  ]) {
    for (const call of [
      `createLink(${value})`,
      `setLink("bh-b", ${value})`,
      `addAddress("bh-b", ${value})`,
      `addRoute(${value})`,
    ]) {
      assert.is(await run(codeOf(`net.${call}`)), "ERR_PERMISSION_ARGUMENT", call);
    }
  }
  assert.equal(asked, []);
});

test("cannot be tampered with", (t) => {
  const { endowment } = open(t);
  // The hub closes before it has replied.
  const sample = "(() => { const pending = powers.netlink.links(); pending.catch(() => {}); return { pending }; })()";
  assert.equal(walk({ netlink: endowment }, sample).findings, []);
});

test.run();

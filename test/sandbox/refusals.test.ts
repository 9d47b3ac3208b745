/** What is refused before anything is moved. */
import { attachSandbox, createPluginHost, EndpointConfig, JoinConfig } from "#dist/index.js";
import { parseNetns } from "#dist/sandbox/namespace.js";
import { namesFor, planSandbox } from "#dist/sandbox/plan.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { ENDPOINT, JOIN, noKernel } from "./bench.js";

const test = suite("sandbox: refusals");

/** What a synchronous call throws. */
function thrown(body: () => unknown): Promise<Error & { code?: string }> {
  return rejection(Promise.resolve().then(body));
}

test("a namespace is a name or an absolute path, and nothing that ip could read otherwise", async () => {
  for (const fine of ["box", "bh_1.x-y", "/run/netns/box", "/proc/12/ns/net", "/var/run/docker/netns/1-ab:c"]) {
    assert.is(parseNetns(fine), fine);
  }
  const bad = [
    "",
    "-x",
    "a/b",
    "./x",
    "a b",
    "a\nlink delete eth0",
    "/x y",
    '/x"',
    "/",
    5,
    null,
    undefined,
    "ü",
    "a".repeat(256),
  ];
  for (const value of bad)
    assert.is((await thrown(() => parseNetns(value))).code, "ERR_SANDBOX_NOT_FOUND", String(value));
});

test("names of links are words; a name does not grow beyond 15 bytes", async () => {
  for (const srcName of ["a b", 'a"', "a#b", "-a", "a;b", "é"]) {
    const error = await thrown(() => planSandbox(ENDPOINT, { ...JOIN, names: [{ id: 0, srcName, dstPrefix: "eth" }] }));
    assert.match(error.code ?? "", /^ERR_INTERFACE_NAME$/, srcName);
  }
  const link = { id: 0, srcName: "s", dstPrefix: "abcdefghijkl", mac: "", addresses: [] };
  const taken = Array.from({ length: 1000 }, (_, n) => `abcdefghijkl${n}`);
  assert.equal(namesFor([link], taken.slice(0, 999)), ["abcdefghijkl999"]);
  assert.is((await thrown(() => namesFor([link], taken))).code, "ERR_INTERFACE_NAME");
});

test("a next hop that nothing of the endpoint reaches; a CONNECTED route without a link", async () => {
  const unreached = await thrown(() => planSandbox(ENDPOINT, { ...JOIN, gateway: "10.99.0.1" }));
  assert.is(unreached.code, "ERR_SANDBOX_FAILED");
  assert.match(unreached.message, /the route to 0\.0\.0\.0\/0 cannot be set: .* reaches its next hop 10\.99\.0\.1/);
  const linkless = await thrown(() => planSandbox(ENDPOINT, { ...JOIN, names: [], gateway: "", gatewayIPv6: "" }));
  assert.match(
    linkless.message,
    /the CONNECTED route to 10\.71\.0\.0\/16 cannot be set: interface 0 was given no names/,
  );
});

test("a route leaves by the link that reaches its next hop most closely", () => {
  const two = [
    { id: 0, ipv4: "10.64.0.2/16" },
    { id: 1, ipv4: "10.64.7.2/24" },
  ];
  const names = [0, 1].map((id) => ({ id, srcName: `bh-${id}`, dstPrefix: "eth" }));
  assert.is(planSandbox(two, { names, gateway: "10.64.7.1" }).gateways[0]?.id, 1);
  assert.is(planSandbox(two, { names, gateway: "10.64.8.1" }).gateways[0]?.id, 0);
});

test("the options of attachSandbox", async (t) => {
  const given = { sandbox: "no-such-box", endpoint: new EndpointConfig(), join: new JoinConfig([]) };
  const model = await rejection(attachSandbox({ ...given, backend: "model" }));
  assert.is(model.code, "ERR_OPTIONS");
  assert.match(model.message, /the links of a model belong to a host; pass that as the option "host"/);
  assert.is((await rejection(attachSandbox({ ...given, backend: "all" as "auto" }))).code, "ERR_OPTIONS");
  assert.is((await rejection(attachSandbox({ ...given, host: {} as never }))).code, "ERR_OPTIONS");
  const host = await emptyHost(t);
  assert.equal((await attachSandbox({ ...given, host })).links, []);
  assert.is((await rejection(attachSandbox({ ...given, endpoint: "x" as never, host }))).code, "ERR_DRIVER_REPLY");
});

test(
  "kernel: a sandbox that does not exist is said, with what makes it",
  async () => {
    const error = await rejection(attachSandbox({ sandbox: "no-such-box", endpoint: ENDPOINT, join: JOIN }));
    assert.is(error.code, "ERR_SANDBOX_NOT_FOUND");
    assert.match(error.message, /there is no \/run\/netns\/no-such-box; make it with: ip netns add no-such-box$/);
  },
  { needs: noKernel },
);

async function emptyHost(t: TestContext): ReturnType<typeof createPluginHost> {
  const host = await createPluginHost({ plugins: await t.folder(), isolation: "thread", backend: "model" });
  t.cleanup(() => host.close());
  return host;
}

test.run();

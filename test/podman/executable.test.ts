/** The executable, without an engine: its verbs, its errors in netavark's form, and the time that it takes to start. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installExecutables } from "#dist/executables/install.js";
import { answeredWithin } from "#dist/podman/deadline.js";
import { controlled } from "../control/controlled.js";
import { execute, type Ran } from "../docker/engine/programs.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { plugin } from "../kit/plugins.js";

const test = suite("podman/executable");
const ID = "6d643b626cc1ed85e6ca810977a2dbb1062d7a16d2b75ccc05dbe425724dcca8";
const NETWORK = { name: "n", id: ID, driver: "bulkhead-net", ipv6_enabled: false, internal: false, dns_enabled: true };

/** Says how often it was asked, and hangs where it is told to. */
const NET = plugin("net", {
  methods: `
    createNetwork(nid, options) {
      const { say, hang } = options["com.docker.network.generic"];
      if (say) throw new Error(JSON.stringify(options));
      if (hang) return new Promise(() => {});
    },`,
});

/** Standard input of setup and teardown. */
function container(more: object = {}, asked: object = {}): object {
  return {
    ...{ container_id: "c1", container_name: "web", port_mappings: null },
    network: { ...NETWORK, subnets: null, routes: null, options: null, ipam_options: null, network_interface: null },
    network_options: { aliases: ["web"], interface_name: "eth0", static_ips: null, static_mac: null, ...asked },
    ...more,
  };
}

/** An executable for driver `net` that asks the daemon at `socket`. */
function installed(folder: string, socket: string): string {
  const options = { platform: "podman", folder, prefix: "bulkhead-", socket, node: process.execPath, makeFolder: true };
  const [path = ""] = installExecutables(options, ["net"]);
  return path;
}

async function served(t: TestContext): Promise<(verb: string, input: unknown) => Promise<Ran>> {
  const policy = { plugins: { net: { timeouts: { default: 500 } } } };
  const { socket, home } = await controlled(t, { "net.js": NET }, { backend: "model", policy });
  const path = installed(home.path("plug"), socket);
  return (verb, input) => {
    const args = verb === "create" ? [verb] : [verb, "/run/netns/one"];
    const text = typeof input === "string" ? input : JSON.stringify(input);
    return execute([path, ...args], process.env, { input: text });
  };
}

/** The words of an error, which must have netavark's form. */
function refusal({ code, out }: Ran): string {
  assert.is(code, 1, out);
  const { error, ...rest } = JSON.parse(out);
  assert.equal(rest, {});
  return error;
}

test("info needs no daemon", async (t) => {
  const path = installed(await t.folder(), "/nowhere/control.sock");
  const { code, out } = await execute([path, "info"], process.env);
  assert.is(code, 0);
  assert.is(JSON.parse(out).api_version, "1.0.0");
});

test("create, setup and teardown of a driver without links; fields of later versions stay in the network", async (t) => {
  const run = await served(t);
  const network = { ...NETWORK, labels: { a: "b" }, from_a_later_version: [1] };
  const created = await run("create", network);
  assert.is(created.code, 0, created.out);
  assert.equal(JSON.parse(created.out), network);
  const up = await run("setup", container({ from_a_later_version: {} }));
  assert.is(up.code, 0, up.out);
  assert.equal(JSON.parse(up.out), { interfaces: {} });
  const again = await run("setup", container());
  assert.match(refusal(again), /attached already/);
  for (let twice = 0; twice < 2; twice++) assert.is((await run("teardown", container())).code, 0);
});

test("a driver is told what an engine would tell it, under the same keys", async (t) => {
  const run = await served(t);
  const subnets = [{ subnet: "10.1.0.0/24", gateway: "10.1.0.1" }, { subnet: "fd00:1::/64" }];
  const told = refusal(await run("create", { ...NETWORK, internal: true, subnets, options: { say: "it" } }));
  const options = JSON.parse(told.slice(told.indexOf("{"), told.lastIndexOf("}") + 1));
  assert.equal(options["com.docker.network.generic"], { say: "it" });
  assert.is(options["com.docker.network.internal"], true);
  assert.is(options["com.docker.network.ipam"].ipv4[0].Pool, "10.1.0.0/24");
  assert.is(options["com.docker.network.ipam"].ipv4[0].Gateway, "10.1.0.1/24");
  assert.is(options["com.docker.network.ipam"].ipv6[0].Pool, "fd00:1::/64");
});

test("input that is not of the protocol is refused, and the field named", async (t) => {
  const run = await served(t);
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ["create", "", /the input is not JSON/],
    ["create", "{", /the input is not JSON/],
    ["create", "[]", /the input: /],
    ["create", { ...NETWORK, id: 7 }, /^bulkhead: id: /],
    ["create", { ...NETWORK, name: "a\nb" }, /^bulkhead: name: must hold no control characters/],
    ["create", { ...NETWORK, routes: [{ destination: "10.0.0.0/8" }] }, /leave out --route/],
    ["create", { ...NETWORK, network_interface: "br9" }, /leave out --interface-name/],
    ["setup", { ...container(), network: undefined }, /^bulkhead: network: /],
    ["setup", container({ container_id: "" }), /^bulkhead: container_id: /],
    ["setup", container({}, { interface_name: "../x" }), /\.\.\/x/],
    ["setup", container({ port_mappings: [{ container_port: 0, host_port: 1, protocol: "tcp" }] }), /port_mappings\.0/],
    [
      "setup",
      container({ port_mappings: [{ container_port: 1, host_port: 1, host_ip: "", protocol: "tcp", range: 9999 }] }),
      /publishes 9999 ports, and may publish 256/,
    ],
    ["frobnicate", NETWORK, /"frobnicate" is not one of create, setup, teardown/],
  ];
  for (const [verb, input, words] of cases) assert.match(refusal(await run(verb, input)), words);
  // Any text is an id.
  const odd = container({ container_id: `"; rm -rf / ${"x".repeat(900)} ü` });
  assert.is((await run("setup", odd)).code, 0);
  assert.is((await run("teardown", odd)).code, 0);
});

test("a driver that hangs is answered for by its deadline, and one that answers later is undone", async (t) => {
  const run = await served(t);
  assert.match(refusal(await run("create", { ...NETWORK, options: { hang: "yes" } })), /ERR_DRIVER_TIMEOUT/);
  let undone = "";
  let answer = (_: string): void => {};
  const work = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const late = async (made: string): Promise<void> => {
    undone = made;
  };
  const error = await rejection(answeredWithin(work, { type: "net", ms: 10, late }));
  assert.is(error.code, "ERR_DRIVER_TIMEOUT");
  answer("what was made");
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(undone, "what was made");
});

test("without a daemon: an error within a second, and a teardown that is kept for the daemon", async (t) => {
  const folder = await t.folder();
  const socket = join(folder, "control.sock");
  const path = installed(folder, socket);
  for (const verb of ["create", "setup"]) {
    const ran = await execute([path, verb, "/run/netns/one"], process.env, { input: JSON.stringify(container()) });
    assert.match(refusal(ran), /no bulkhead host runs at .*control\.sock; start one with: bulkhead serve/);
    assert.ok(ran.ms < 1000 || process.env.CI !== "true", `${ran.ms} ms`);
  }
  const ran = await execute([path, "teardown", "/run/netns/one"], process.env, { input: JSON.stringify(container()) });
  assert.is(ran.code, 0, ran.out);
  const [kept = ""] = readdirSync(`${socket}.missed`);
  assert.match(kept, /^\d+-\d+\.podman\.json$/);
  const { args, input } = JSON.parse(readFileSync(join(`${socket}.missed`, kept), "utf8"));
  assert.equal([args, JSON.parse(input)], [["teardown", "/run/netns/one"], container()]);
});

test(
  "rootless Podman is told why it cannot work",
  async (t) => {
    const folder = await t.folder();
    const { socket } = await controlled(t, { "net.js": NET }, { backend: "model" });
    const path = installed(folder, socket);
    spawnSync("chmod", ["755", folder]);
    const others = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    for (const enter of [others, [...others, "unshare", "--user", "--map-root-user"]]) {
      const ran = await execute([...enter, path, "setup", "/run/netns/one"], process.env, { input: "{}" });
      if (/unshare.*(not permitted|No space)/.test(ran.err)) continue;
      assert.match(refusal(ran), /rootless Podman cannot use it/);
    }
  },
  { needs: process.getuid?.() === 0 ? undefined : "not root" },
);

test(
  "info takes at most 1.3 times as long as the smallest program of Node",
  async (t) => {
    const folder = await t.folder();
    const path = installed(folder, "/nowhere/control.sock");
    const least = join(folder, "least.cjs");
    writeFileSync(least, "");
    const times = { least: Number.POSITIVE_INFINITY, info: Number.POSITIVE_INFINITY };
    for (let round = 0; round < 25; round++) {
      times.least = Math.min(times.least, took(process.execPath, least));
      times.info = Math.min(times.info, took(path, "info"));
    }
    const said = `info ${times.info.toFixed(1)} ms, the smallest program ${times.least.toFixed(1)} ms`;
    console.log(said);
    assert.ok(times.info <= times.least * 1.3, said);
  },
  { ms: 60_000 },
);

function took(file: string, ...args: readonly string[]): number {
  const began = performance.now();
  spawnSync(file, args, { stdio: "ignore" });
  return performance.now() - began;
}

test.run();

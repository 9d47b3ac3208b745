/** What a CNI runtime is told: results of each version, static addresses, ports, and errors with the specification's codes. */
import { assert, rejection, suite } from "../harness.js";
import { type Answered, answered, LIST } from "./answered.js";
import type { Any, List } from "./runtime.js";

const test = suite("cni: answers");

/** The error of one request. */
async function refusal({ run }: Answered, env: Record<string, string>, config: unknown): Promise<Any> {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const { code, out } = await run("", env, text);
  assert.is(code, 1, out);
  return JSON.parse(out);
}

const ADD = { CNI_COMMAND: "ADD", CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/c1", CNI_IFNAME: "eth0" };
const CONFIG = { cniVersion: "1.1.0", name: "web", ...LIST.plugins[0] };

test("ADD gives interfaces, ips, routes and dns; CHECK holds; DEL twice; nothing is left", async (t) => {
  const at = await answered(t);
  const dns = { nameservers: ["10.64.1.1"], search: ["example.org"] };
  const list: List = { ...LIST, plugins: [{ ...LIST.plugins[0], dns }] };
  const one = { id: "c1", netns: "/run/netns/c1" };
  const result = await at.runtime.add(list, one);
  const [host, inside] = result.interfaces;
  assert.match(host.name, /^bh/);
  assert.equal(inside, { name: "eth0", mac: "02:42:0a:40:01:02", sandbox: "/run/netns/c1" });
  assert.equal(result.ips, [
    { address: "10.64.1.2/24", gateway: "10.64.1.1", interface: 1 },
    { address: "fd64::2/64", gateway: "fd64::1", interface: 1 },
  ]);
  assert.equal(result.routes, [
    { dst: "0.0.0.0/0", gw: "10.64.1.1" },
    { dst: "::/0", gw: "fd64::1" },
  ]);
  assert.equal(result.dns, dns);
  await at.runtime.check(list, one);
  assert.match((await rejection(at.runtime.add(list, one))).message, /^100: container c1 is attached already/);
  assert.is((await at.attachments())[0].phase, "live");
  await at.runtime.del(list, one);
  await at.runtime.del(list, one, { cached: false });
  assert.equal(await at.attachments(), []);
  assert.equal((await at.client.ask("networks")).networks, []);
  assert.match((await rejection(at.runtime.check(list, one))).message, /^7: CHECK needs the prevResult/);
});

test("each version has its form; one that is not spoken is an error", async (t) => {
  const at = await answered(t);
  for (const [cniVersion, version] of [
    ["0.3.0", "4"],
    ["0.3.1", "4"],
    ["0.4.0", "4"],
    ["1.0.0", undefined],
  ] as const) {
    const list = { ...LIST, cniVersion };
    const one = { id: `c-${cniVersion}`, netns: "/run/netns/c1" };
    const result = await at.runtime.add(list, one);
    assert.equal([result.cniVersion, result.ips[0].version], [cniVersion, version]);
    await at.runtime.del(list, one);
  }
  const old = await refusal(at, ADD, { ...CONFIG, cniVersion: "0.2.0" });
  assert.equal([old.code, old.cniVersion], [1, "1.1.0"]);
  assert.match(old.msg, /cniVersion "0.2.0" is not spoken; write one of 0.3.0/);
  const check = await refusal(at, { ...ADD, CNI_COMMAND: "CHECK" }, { ...CONFIG, cniVersion: "0.3.1" });
  assert.match(check.msg, /CHECK needs cniVersion 0.4.0 or later/);
  assert.is((await refusal(at, { CNI_COMMAND: "GC" }, { ...CONFIG, cniVersion: "1.0.0" })).code, 1);
});

test("static addresses and a MAC, from runtimeConfig and from CNI_ARGS; a family that is not named comes from the pool", async (t) => {
  const at = await answered(t);
  const netns = "/run/netns/c1";
  const first = await at.runtime.add(LIST, {
    ...{ id: "a", netns },
    runtimeConfig: { ips: ["10.64.1.77/24"], mac: "02:11:22:33:44:55" },
  });
  const [address] = first.ips;
  assert.equal([address.address, first.interfaces[1].mac], ["10.64.1.77/24", "02:11:22:33:44:55"]);
  assert.match(first.ips[1].address, /^fd64::/);
  const second = await at.runtime.add(LIST, {
    ...{ id: "b", netns: "/run/netns/c2" },
    args: "IgnoreUnknown=1;K8S_POD_NAME=pod;MAC=02:11:22:33:44:66;IP=10.64.1.78;ODD=1",
  });
  assert.equal([second.ips[0].address, second.interfaces[1].mac], ["10.64.1.78/24", "02:11:22:33:44:66"]);
  const taken = await rejection(
    at.runtime.add(LIST, { id: "c", netns: "/run/netns/c3", runtimeConfig: { ips: ["10.64.1.77/24"] } }),
  );
  assert.match(taken.message, /address 10.64.1.77\/24 is another endpoint's/);
  const outside = await rejection(at.runtime.add(LIST, { id: "c", netns: "/run/netns/c3", args: "IP=10.99.0.1" }));
  assert.match(outside.message, /10.99.0.1/);
  assert.is((await at.attachments()).length, 2);
});

test("ports are published, through one of a container's networks, and the next one takes over", async (t) => {
  const at = await answered(t);
  const other: List = {
    ...LIST,
    name: "other",
    plugins: [{ ...LIST.plugins[0], ipam: { subnet: "10.64.2.0/24" } }],
  };
  const portMappings = [
    { hostPort: 8080, containerPort: 80, protocol: "tcp" },
    { hostPort: 0, containerPort: 81, protocol: "tcp" },
  ];
  const container = { id: "c", netns: "/run/netns/c1", runtimeConfig: { portMappings } };
  await at.runtime.add(LIST, container);
  await at.runtime.add(other, { ...container, ifname: "eth1" });
  const ports = async (): Promise<readonly string[]> =>
    (await at.client.ask("ports")).ports.map(({ hostPort, ip, port }) => `${hostPort} ${ip} ${port}`).sort();
  assert.equal(await ports(), ["8080 10.64.1.2 80", "8080 fd64::2 80"]);
  await at.runtime.del(LIST, container);
  assert.equal(await ports(), ["8080 10.64.2.2 80"]);
  await at.runtime.del(other, { ...container, ifname: "eth1" });
  assert.equal(await ports(), []);
});

test("a network with other options while a container uses it is an error; afterwards it is made as asked", async (t) => {
  const at = await answered(t);
  const one = { id: "c1", netns: "/run/netns/c1" };
  const changed: List = { ...LIST, plugins: [{ ...LIST.plugins[0], options: { mtu: 1300 } }] };
  await at.runtime.add(LIST, one);
  const refused = await rejection(at.runtime.add(changed, { id: "c2", netns: "/run/netns/c2" }));
  assert.match(refused.message, /^7: network "web" has other options while containers use it: c1;/);
  await at.runtime.del(LIST, one);
  await at.runtime.add(changed, one);
});

test("GC removes what the runtime does not know, on this network only; STATUS says whether the driver serves", async (t) => {
  const at = await answered(t);
  const other: List = { ...LIST, name: "other", plugins: [{ ...LIST.plugins[0], ipam: { subnet: "10.64.2.0/24" } }] };
  const [a, b] = [
    { id: "a", netns: "/run/netns/a" },
    { id: "b", netns: "/run/netns/b" },
  ];
  await at.runtime.add(LIST, a);
  await at.runtime.add(LIST, b);
  await at.runtime.add(other, { ...a, ifname: "eth1" });
  await at.runtime.gc(LIST, [b]);
  assert.equal((await at.attachments()).map(({ network, container }) => `${network} ${container}`).sort(), [
    "other a",
    "web b",
  ]);
  await at.runtime.status(LIST);
  const absent: List = { ...LIST, plugins: [{ ...LIST.plugins[0], driver: "absent" }] };
  assert.match((await rejection(at.runtime.status(absent))).message, /^50: driver "absent" is not in service/);
});

test("what cannot be is refused with the specification's code, and changes nothing", async (t) => {
  const at = await answered(t);
  const cases: readonly (readonly [code: number, words: RegExp, env: Record<string, string>, config: unknown])[] = [
    [6, /not JSON/, ADD, "{"],
    [6, /not an object/, ADD, []],
    [4, /unknown CNI_COMMAND ""; the commands are ADD, DEL/, {}, CONFIG],
    [4, /CNI_CONTAINERID is not set/, { ...ADD, CNI_CONTAINERID: "" }, CONFIG],
    [4, /CNI_CONTAINERID must begin/, { ...ADD, CNI_CONTAINERID: "../x" }, CONFIG],
    [4, /CNI_NETNS is not set/, { ...ADD, CNI_NETNS: "" }, CONFIG],
    [4, /CNI_IFNAME is not set/, { ...ADD, CNI_IFNAME: "" }, CONFIG],
    [4, /cannot be the name of a link/, { ...ADD, CNI_IFNAME: "a-name-that-is-too-long" }, CONFIG],
    [4, /cannot be the name of a link/, { ...ADD, CNI_IFNAME: "lo" }, CONFIG],
    [4, /cannot be the name of a link/, { ...ADD, CNI_IFNAME: "a b" }, CONFIG],
    [4, /"ODD" is not known/, { ...ADD, CNI_ARGS: "ODD=1" }, CONFIG],
    [4, /is not KEY=VALUE/, { ...ADD, CNI_ARGS: "IgnoreUnknown" }, CONFIG],
    [3, /is not a network namespace/, { ...ADD, CNI_NETNS: "/run/netns/a b" }, CONFIG],
    [7, /name/, ADD, { ...CONFIG, name: "a/b" }],
    [
      7,
      /runtimeConfig.portMappings.0.hostPort/,
      ADD,
      { ...CONFIG, runtimeConfig: { portMappings: [{ hostPort: -1 }] } },
    ],
    [7, /ipam.*rangeStart.*driver's own pool/, ADD, { ...CONFIG, ipam: { rangeStart: "10.64.1.9" } }],
    [7, /IPAM plugin printed no valid result/, ADD, { ...CONFIG, ipam: { type: "host-local" } }],
    [
      7,
      /two IPv4|two pools|one subnet of each/,
      ADD,
      { ...CONFIG, ipam: { ranges: [[{ subnet: "10.64.1.0/24" }], [{ subnet: "10.64.2.0/24" }]] } },
    ],
    [7, /GC needs/, { CNI_COMMAND: "GC" }, CONFIG],
    [7, /unknown option "colour"/, ADD, { ...CONFIG, options: { colour: 1 } }],
    [100, /not granted/, ADD, { ...CONFIG, ipam: { subnet: "192.168.7.0/24" } }],
    [100, /no driver|not registered|absent/, ADD, { ...CONFIG, driver: "absent" }],
  ];
  for (const [code, words, env, config] of cases) {
    const error = await refusal(at, env, config);
    assert.match(error.msg, words);
    assert.is(error.code, code, error.msg);
  }
  assert.equal(await at.attachments(), []);
  assert.equal((await at.client.ask("networks")).networks, []);
});

test("a chain: the result before is passed on, and ours comes after it", async (t) => {
  const at = await answered(t);
  const prevResult = {
    cniVersion: "1.1.0",
    interfaces: [{ name: "first0", mac: "02:00:00:00:00:01", sandbox: "/run/netns/c1" }],
    ips: [{ address: "192.0.2.2/24", interface: 0 }],
    routes: [{ dst: "192.0.2.0/24" }],
    dns: { nameservers: ["192.0.2.1"] },
  };
  const { code, out } = await at.run("", { ...ADD, CNI_IFNAME: "eth1" }, JSON.stringify({ ...CONFIG, prevResult }));
  assert.is(code, 0, out);
  const result = JSON.parse(out);
  assert.equal([result.interfaces[0], result.ips[0]], [prevResult.interfaces[0], prevResult.ips[0]]);
  assert.equal([result.interfaces[2].name, result.ips[1].interface, result.dns], ["eth1", 2, prevResult.dns]);
});

test.run();

/** What containers on an egress network reach, on the kernel: what is listed, by name and by address, and nothing else. */
import { execFileSync } from "node:child_process";
import { assert, suite } from "../harness.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { home, OTHER, UNLISTED, UNLISTED6, WEB, WEB6 } from "./egress-house.js";
import { address } from "./name-server.js";

const test = suite("plugins/egress-reach");
const needs = noKernel;
const ms = 120_000;
/** How long a test waits for what must not come, in milliseconds. */
const IN_VAIN = 500;
const LIST = "api.example.com:443,moves.example.com:80,*.mirror.example:80-81,198.51.100.0/30:123/udp";

test(
  "by name, by wildcard and by network, in both families; no other name, address, port or protocol",
  async (t) => {
    const { container, strays } = await home(t, { allow: LIST });
    const { run, name } = await container("e");
    const call = (ip: string, port: number, protocol?: "udp"): Promise<string> =>
      run("call", { ip, port, protocol, ms: IN_VAIN });

    // The first thing it does is what it must not.
    for (const ip of [UNLISTED, WEB, UNLISTED6, WEB6]) assert.not.match(await call(ip, 443), /^web/, ip);
    assert.equal((await run("resolve", { name: "api.example.com" })).data, [WEB]);
    assert.is(await run("call", { ip: WEB, port: 443 }), `web ::ffff:${WEB} 443`);
    assert.not.match(await call(WEB6, 443), /^web/, "its other address has not been asked for");
    assert.equal((await run("resolve", { name: "api.example.com", type: "AAAA" })).data, [WEB6]);
    assert.is(await run("call", { ip: WEB6, port: 443 }), `web ${WEB6} 443`);
    assert.not.match(await call(WEB, 80), /^web/, "another port");
    assert.is(await run("call", { ip: WEB, port: 123, protocol: "udp" }), "time", "by network");
    assert.is(await call(WEB, 443, "udp"), "nothing", "another protocol");

    assert.equal((await run("resolve", { name: "deb.mirror.example", tcp: true })).data, [OTHER]);
    assert.is(await run("call", { ip: OTHER, port: 80 }), `web ::ffff:${OTHER} 80`);
    const refused = await run("resolve", { name: "unlisted.example.com" });
    assert.is(refused.rcode, "NXDOMAIN");
    for (const server of [UNLISTED, "203.0.113.53", "8.8.8.8", "fd64:0:0:1::1", UNLISTED6]) {
      assert.is((await run("resolve", { name: "unlisted.example.com", server })).rcode, "NXDOMAIN", server);
      assert.equal((await run("resolve", { name: "api.example.com", server })).data, [WEB], server);
    }
    for (const port of [853, 443]) assert.not.match(await call(UNLISTED, port), /^web/, "names over TLS and HTTPS");
    for (const ip of [UNLISTED, WEB, "192.0.2.2", "10.64.1.1"])
      assert.throws(() => inNetns(name, "busybox", "ping", "-c1", "-W1", ip), undefined, `ICMP to ${ip}`);
    for (const ip of ["10.64.1.1", "192.0.2.2", "fd64:0:0:1::1"])
      assert.not.match(await call(ip, 7000), /^web/, "the host itself");
    assert.is(strays(), 0, "packets outside that were not listed");
  },
  { ms, needs },
);

test(
  "refused packets are counted per endpoint: destination, port, and the name that led there; what is allowed is not",
  async (t) => {
    const { container, driver } = await home(t, { allow: LIST });
    const { run, name } = await container("e");
    const other = await container("other");
    assert.equal((await run("resolve", { name: "api.example.com" })).data, [WEB]);
    assert.is(await run("call", { ip: WEB, port: 443 }), `web ::ffff:${WEB} 443`);
    await run("call", { ip: WEB, port: 7000, ms: IN_VAIN });
    await run("call", { ip: UNLISTED6, port: 443, ms: IN_VAIN });
    await run("call", { ip: "10.64.1.1", port: 22, protocol: "udp", ms: IN_VAIN });
    assert.throws(() => inNetns(name, "busybox", "ping", "-c1", "-W1", UNLISTED));
    assert.is((await other.run("resolve", { name: "api.example.com" })).rcode, "NOERROR");
    const info = await driver.endpointOperInfo("n", "e");
    const flows = (info.lastRefusedPackets ?? []) as readonly { packets: number; protocol: string; port: number }[];
    assert.equal(
      flows.map(({ packets, ...flow }) => [JSON.stringify(flow), packets > 0]).sort(),
      [
        { to: "10.64.1.1", protocol: "udp", port: 22 },
        { to: WEB, protocol: "tcp", port: 7000, name: "api.example.com" },
        { to: UNLISTED, protocol: "icmp", port: 0 },
        { to: UNLISTED6, protocol: "tcp", port: 443 },
      ]
        .map((flow) => [JSON.stringify(flow), true])
        .sort(),
    );
    assert.is(
      info.refusedPackets,
      flows.reduce((sum, { packets }) => sum + packets, 0),
    );
    assert.is((await driver.endpointOperInfo("n", "e")).refusedPackets, info.refusedPackets, "counted once");
    assert.is((await driver.endpointOperInfo("n", "other")).refusedPackets, 0);
  },
  { ms, needs },
);

test(
  "an address that moves: the new one is reached at once, TTL 1 too; an open connection outlives its entry",
  async (t) => {
    const { container, names, strays } = await home(t, { allow: "moves.example.com:80-81" });
    const { run } = await container("e");
    const first = await run("resolve", { name: "moves.example.com" });
    assert.equal(first.data, [WEB]);
    assert.ok(first.ttl <= 1);
    assert.is(await run("stream", { ip: WEB, port: 81 }), true);
    await names.set({ "moves.example.com": [address(OTHER, 1)] });
    let moved = first;
    while (moved.data[0] !== OTHER) moved = await run("resolve", { name: "moves.example.com" });
    assert.equal(moved.data, [OTHER]);
    assert.is(await run("call", { ip: OTHER, port: 80 }), `web ::ffff:${OTHER} 80`);
    // The floor and the slack of the former address.
    let reached = await run("call", { ip: WEB, port: 80, ms: IN_VAIN });
    while (/^web/.test(reached)) reached = await run("call", { ip: WEB, port: 80, ms: IN_VAIN });
    await run("streamed", {});
    let { bytes, open } = await run("streamed", {});
    while (bytes === 0 && open) ({ bytes, open } = await run("streamed", {}));
    assert.ok(open && bytes > 0, "the open connection goes on");
    assert.is(strays(), 0);
  },
  { ms, needs },
);

test(
  "many containers whose first act is a connection to something unlisted: none passes",
  async (t) => {
    const { container, strays } = await home(t, { allow: LIST });
    const containers = await Promise.all(Array.from({ length: 8 }, (_, n) => container(`e${n}`)));
    const texts = await Promise.all(
      containers.flatMap(({ run }) => [UNLISTED, UNLISTED6].map((ip) => run("call", { ip, port: 443, ms: IN_VAIN }))),
    );
    assert.ok(texts.every((text) => !text.startsWith("web")));
    assert.is(strays(), 0);
  },
  { ms, needs },
);

function inNetns(netns: string, ...command: string[]): string {
  return execFileSync("nsenter", [`--net=/run/netns/${netns}`, ...command], { encoding: "utf8", stdio: "pipe" });
}

test.run();

/** Published ports over loopback, through the port holder: both families, TCP and UDP, and nothing for anybody else. */

import { execFileSync } from "node:child_process";
import { HOLDER } from "#dist/permissions/firewall/holder/limits.js";
import { assert, suite, until } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns, ruleset } from "./backends.js";
import { ip, nodeIn, place, readyIn, saidIn } from "./holder-place.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/loopback");
const options = { ms: 60_000, needs: noKernel };
const IN_VAIN = 700;
const WEB = { bridge: "bh-a", protocol: "tcp", hostPort: 8080, port: 80 } as const;

test(
  "a port published for one family answers on 127.0.0.1 and on ::1, TCP and UDP; with both, each leads to its own",
  async (t) => {
    const { netns, box, fire } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "four");
    await serveIn(t, box, "udp", "10.64.1.2", 53, "names");
    await serveIn(t, box, "tcp", "fd64:0:1::2", 80, "six");
    await fire("publish", { ...WEB, ip: "10.64.1.2" });
    await fire("publish", { ...WEB, protocol: "udp", hostPort: 8053, port: 53, ip: "10.64.1.2" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "four 10.64.1.1");
    assert.is(await callFrom(netns, "tcp", "::1", 8080), "four 10.64.1.1");
    assert.is(await callFrom(netns, "udp", "127.0.0.1", 8053), "names 10.64.1.1");
    assert.is(await callFrom(netns, "udp", "::1", 8053), "names 10.64.1.1");

    await fire("publish", { ...WEB, ip: "fd64:0:1::2" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "four 10.64.1.1");
    assert.is(await callFrom(netns, "tcp", "::1", 8080), "six fd64:0:1::1");
    await fire("withdraw", { kind: "publish", ...WEB, ip: "10.64.1.2" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "six fd64:0:1::1", "and stands in again");
    await fire("withdraw", { kind: "publish", ...WEB, ip: "fd64:0:1::2" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080, IN_VAIN), "nothing");
  },
  options,
);

/** Sends so many MB, ends its side, and says what came back. */
const SEND = `
const [host, mb] = process.argv.slice(1);
const { createHash, randomBytes } = require("node:crypto");
const piece = randomBytes(1 << 20), sent = createHash("sha256"), got = createHash("sha256");
const c = require("node:net").connect({ host, port: 8080, allowHalfOpen: true });
let left = Number(mb), bytes = 0;
const more = () => { while (left > 0) { left--; sent.update(piece); if (!c.write(piece)) return c.once("drain", more); } c.end(); };
c.once("connect", more);
c.on("data", (d) => { bytes += d.length; got.update(d); });
c.on("end", () => console.log(bytes, sent.digest("hex") === got.digest("hex") ? "same" : "other"));
c.on("error", (e) => console.log(e.code));`;

/** Says nothing before the other side has ended; then all it was told. */
const ECHO = `
require("node:net").createServer({ allowHalfOpen: true }, (c) => {
  const all = [];
  c.on("data", (d) => all.push(d)).on("end", () => c.end(Buffer.concat(all))).on("error", () => {});
}).listen(80, "10.64.1.2", () => console.log("ready"));`;

test(
  "100 MB pass unharmed both ways, and half-close reaches the container; a client that does not read stops nobody",
  async (t) => {
    const { netns, box, fire } = await place(t);
    await readyIn(t, box, ECHO);
    await fire("publish", { ...WEB, ip: "10.64.1.2" });
    const stuck = `const c = require("node:net").connect(8080, "127.0.0.1", () => { c.pause(); console.log("on"); });
      const piece = Buffer.alloc(1 << 20); for (let i = 0; i < 16; i++) c.write(piece); c.end();`;
    await readyIn(t, netns, stuck);
    nodeIn(t, netns, `setInterval(() => {}, 1000); require("node:net").connect(8080, "::1");`);
    assert.is(await saidIn(t, netns, SEND, "127.0.0.1", "100"), `${100 * 1_048_576} same`);
    assert.is(await saidIn(t, netns, SEND, "::1", "1"), `${1_048_576} same`);
  },
  options,
);

test(
  "a port of loopback has no rule, answers the host, and nobody who routes it here",
  async (t) => {
    const { netns, box, outside, fire } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await serveIn(t, box, "tcp", "fd64:0:1::2", 80, "web6");
    await serveIn(t, box, "udp", "10.64.1.2", 53, "names");
    await fire("masquerade", { bridge: "bh-a", subnet: "10.64.1.0/24" });
    await fire("publish", { ...WEB, hostIP: "127.0.0.1", ip: "10.64.1.2" });
    await fire("publish", { ...WEB, hostIP: "::1", ip: "fd64:0:1::2" });
    await fire("publish", { ...WEB, hostIP: "127.0.0.1", protocol: "udp", hostPort: 8053, port: 53, ip: "10.64.1.2" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "web 10.64.1.1");
    assert.is(await callFrom(netns, "tcp", "::1", 8080), "web6 fd64:0:1::1");
    assert.is(await callFrom(netns, "udp", "127.0.0.1", 8053), "names 10.64.1.1");
    assert.not.match(ruleset(netns), / dnat ip6? to /);

    // A neighbour whose own loopback is gone sends 127.0.0.1 over the cable, and the host has been told to take such packets.
    for (const one of [outside, netns])
      inNetns(one, "sh", "-c", "for f in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 1 > $f; done");
    ip("-n", outside, "route", "del", "table", "local", "local", "127.0.0.0/8", "dev", "lo");
    ip("-n", outside, "route", "del", "table", "local", "local", "127.0.0.1", "dev", "lo");
    ip("-n", outside, "addr", "del", "127.0.0.1/8", "dev", "lo");
    ip("-n", outside, "route", "add", "127.0.0.1/32", "via", "192.0.2.2", "src", "192.0.2.1");
    const foreign = await readyIn(
      t,
      netns,
      `require("node:net").createServer((c) => c.end("open")).listen(8099, "127.0.0.1", () => console.log("ready"))`,
    );
    assert.ok(foreign.pid);
    assert.is(await callFrom(outside, "tcp", "127.0.0.1", 8099, IN_VAIN), "open", "the way is there");
    assert.is(await callFrom(outside, "tcp", "127.0.0.1", 8080, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "udp", "127.0.0.1", 8053, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080, IN_VAIN), "nothing");
    assert.is(await callFrom(outside, "tcp", "2001:db8::2", 8080, IN_VAIN), "nothing");
  },
  options,
);

test(
  "what comes over a wire goes by the rules alone: no forwarder leads around isolation",
  async (t) => {
    const { box, outside, fire } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await serveIn(t, box, "udp", "10.64.1.2", 53, "names");
    await fire("isolate", { bridge: "bh-a", internal: true });
    await fire("publish", { ...WEB, ip: "10.64.1.2" });
    await fire("publish", { ...WEB, protocol: "udp", hostPort: 8053, port: 53, ip: "10.64.1.2" });
    for (const host of ["192.0.2.2", "2001:db8::2"]) {
      assert.is(await callFrom(outside, "tcp", host, 8080, IN_VAIN), "nothing", host);
      assert.is(await callFrom(outside, "udp", host, 8053, IN_VAIN), "nothing", host);
    }
  },
  options,
);

/** Opens so many connections, and says twice a second how many of them were not ended. */
const FLOOD = `
const net = require("node:net");
let ended = 0;
for (let i = 0; i < 700; i++) net.connect(Number(process.argv[1]), "127.0.0.1").on("error", () => {}).on("close", () => ended++);
setInterval(() => console.log(700 - ended), 500);`;

test(
  "a flood of connections on one port is bounded, another port answers, and the flood's port too when it is over",
  async (t) => {
    const { netns, box, fire } = await place(t);
    await readyIn(
      t,
      box,
      `require("node:net").createServer((c) => c.on("error", () => {})).listen(80, "10.64.1.2", 2048, () => console.log("ready"))`,
    );
    await serveIn(t, box, "tcp", "10.64.1.2", 81, "calm");
    await fire("publish", { ...WEB, ip: "10.64.1.2" });
    await fire("publish", { ...WEB, hostPort: 8081, port: 81, ip: "10.64.1.2" });
    const flood = nodeIn(t, netns, FLOOD, "8080");
    let left = 700;
    flood.stdout?.on("data", (text) => (left = Number(String(text).trim().split("\n").at(-1))));
    await until(() => left <= HOLDER.connectionsPerPort, "the flood to be cut", 20_000);
    await new Promise((resolve) => flood.stdout?.once("data", resolve));
    assert.is(left, HOLDER.connectionsPerPort);
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8081), "calm 10.64.1.1");
    flood.kill("SIGKILL");
    await serveIn(t, box, "tcp", "fd64:0:1::2", 80, "six");
    await fire("publish", { ...WEB, ip: "fd64:0:1::2" });
    assert.is(await callFrom(netns, "tcp", "::1", 8080), "six fd64:0:1::1");
  },
  options,
);

test(
  "without descriptors to spare the holder loses connections, and neither its ports nor itself",
  async (t) => {
    const { netns, box, fire, nft } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await fire("publish", { ...WEB, ip: "10.64.1.2" });
    const pid = nft.holder.pid ?? 0;
    execFileSync("prlimit", ["--nofile=40:40", `--pid=${pid}`]);
    const flood = nodeIn(t, netns, FLOOD, "8080");
    await new Promise((resolve) => flood.stdout?.on("data", (text) => Number(text) < 700 && resolve(text)));
    flood.kill("SIGKILL");
    await until(
      async () => (await callFrom(netns, "tcp", "127.0.0.1", 8080, IN_VAIN)) === "web 10.64.1.1",
      "an answer",
      20_000,
    );
    assert.is(nft.holder.pid, pid);
  },
  options,
);

test.run();

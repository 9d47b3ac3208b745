/** Two hosts joined by a cable, each with a vxlan set up by the verbs alone: they reach each other, and no ARP crosses. */
import { execFileSync, spawn } from "node:child_process";
import type { Json } from "#dist/driverapi/json.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, suite, type TestContext } from "../../harness.js";
import { type Bench, bench, noKernel } from "./backends.js";

const test = suite("permissions/netlink/tunnel");
const TUNNELS = {
  vniFrom: 100,
  vniTo: 199,
  remotes: ["198.51.100.0/24", "fd99::/64"],
  ports: [4789],
  parents: ["eth0"],
};

interface Host extends Bench {
  run(...command: readonly string[]): string;
}

const remoteOf = (n: number, underlay: string): Json => ({
  host: `${underlay}${n}`,
  mac: `02:42:0a:40:00:0${n}`,
  routes: [
    { destination: `10.64.${n}.0/24`, via: `10.64.${n}.0` },
    { destination: `fd64:0:${n}::/64`, via: `fd64:0:${n}::` },
  ],
});

/** A host with a vxlan over its card, as an overlay driver sets it up. */
async function host(t: TestContext, n: number, wire: (netns: string) => void, underlay: string): Promise<Host> {
  const one = await bench(t, "kernel", TUNNELS);
  const run = (...command: readonly string[]): string =>
    execFileSync("ip", ["netns", "exec", one.netns, ...command], { encoding: "utf8", stdio: "pipe" });
  wire(one.netns);
  run("ip", "address", "add", `198.51.100.${n}/24`, "dev", "eth0");
  run("ip", "address", "add", `fd99::${n}/64`, "dev", "eth0", "nodad");
  run("ip", "link", "set", "eth0", "up");
  const mac = `02:42:0a:40:00:0${n}`;
  const local = `${underlay}${n}`;
  await one.ask("createLink", { kind: "vxlan", name: "bh-x", vni: 100, local, parent: "eth0", mac });
  await one.ask("addAddress", "bh-x", `10.64.${n}.0/32`);
  await one.ask("addAddress", "bh-x", `fd64:0:${n}::/128`);
  await one.ask("setLink", "bh-x", { up: true });
  return { ...one, run };
}

/** Answers every connection with the address that it comes from. */
function listen(t: TestContext, { netns }: Host): void {
  const source =
    'require("net").createServer((s) => s.end(s.remoteAddress.replace("::ffff:", ""))).listen(7000, "::", () => console.log("up"))';
  const server = spawn("ip", ["netns", "exec", netns, process.execPath, "-e", source], { stdio: "ignore" });
  t.cleanup(() => server.kill("SIGKILL"));
}

/** What the other host answers; "nothing" after two seconds without an answer. */
function answer({ run }: Host, to: string, from: string): string {
  const source = `
    const end = setTimeout(() => { console.log("nothing"); process.exit(); }, 2000);
    const connect = () => require("net").connect({ host: "${to}", localAddress: "${from}", port: 7000 })
      .on("error", (error) => error.code === "ECONNREFUSED" && setTimeout(connect, 50))
      .on("data", (data) => { console.log(String(data)); clearTimeout(end); process.exit(); });
    connect();`;
  return run(process.execPath, "-e", source).trim();
}

for (const [family, underlay, mtu] of [
  ["IPv4", "198.51.100.", 1450],
  ["IPv6", "fd99::", 1430],
] as const) {
  test(
    `over ${family}: both families cross by permanent neighbours, and nothing is asked for by ARP or solicitation`,
    async (t) => {
      const a = await host(
        t,
        1,
        (netns) => execFileSync("ip", ["-n", netns, "link", "add", "eth0", "type", "veth", "peer", "name", "wire0"]),
        underlay,
      );
      const b = await host(
        t,
        2,
        (netns) => {
          execFileSync("ip", ["-n", a.netns, "link", "set", "wire0", "netns", netns, "name", "eth0"]);
        },
        underlay,
      );
      listen(t, b);
      // Counts ARP requests and replies that leave by the tunnel.
      a.run("nft", "add table arp seen; add chain arp seen out { type filter hook output priority 0; }");
      a.run("nft", 'add rule arp seen out oifname "bh-x" counter');

      await a.ask("setRemote", "bh-x", remoteOf(2, underlay));
      await b.ask("setRemote", "bh-x", remoteOf(1, underlay));
      assert.match(a.run("ip", "link", "show", "bh-x"), `mtu ${mtu}`);
      assert.match(a.run("ip", "-details", "link", "show", "bh-x"), "nolearning");
      assert.is(answer(a, "10.64.2.0", "10.64.1.0"), "10.64.1.0");
      assert.is(answer(a, "fd64:0:2::", "fd64:0:1::"), "fd64:0:1::");
      assert.match(a.run("nft", "list", "table", "arp", "seen"), "counter packets 0 bytes 0");
      for (const one of [a, b]) {
        const neighbours = one.run("ip", "neigh", "show", "dev", "bh-x").trim().split("\n");
        assert.is(neighbours.length, 2, neighbours.join("; "));
        assert.ok(
          neighbours.every((line) => line.includes("PERMANENT")),
          neighbours.join("; "),
        );
        assert.match(
          one.run("bridge", "fdb", "show", "dev", "bh-x").trim(),
          /^02:42:0a:40:00:0\d dst \S+ .*permanent$/,
        );
      }
      await a.ask("removeRemote", "bh-x", `${underlay}2`);
      assert.is(answer(a, "10.64.2.0", "10.64.1.0"), "nothing");
      assert.is(a.run("bridge", "fdb", "show", "dev", "bh-x").trim(), "");
    },
    { ms: 40_000, needs: noKernel ?? (program("nft") === undefined && "nft is not installed") },
  );
}

test.run();

/** A host with one bridge, a container on it, and a neighbour on a cable of its own: where held ports are tried. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { FirewallHubOptions } from "#dist/permissions/firewall/hub.js";
import type { NftBackend } from "#dist/permissions/firewall/kernel/nft-backend.js";
import type { TestContext } from "../../harness.js";
import { bridgeOf, type FirewallBench, firewallBench } from "./backends.js";

export interface Place extends FirewallBench {
  /** Namespaces: the container, 10.64.1.2 and fd64:0:1::2; the neighbour, 192.0.2.1 and 2001:db8::1. */
  readonly box: string;
  readonly outside: string;
  readonly nft: NftBackend;
}

/** The host is 10.64.1.1, fd64:0:1::1, 192.0.2.2 and 2001:db8::2. */
export async function place(t: TestContext, options: Partial<FirewallHubOptions> = {}): Promise<Place> {
  const bench = await firewallBench(t, "kernel", {}, options);
  await bridgeOf(bench.ask, "bh-a", "10.64.1.1/24", "fd64:0:1::1/64");
  const box = space(t);
  const outside = space(t);
  cable(bench.netns, "port0", box, ["10.64.1.2/24", "fd64:0:1::2/64"]);
  ip("-n", bench.netns, "link", "set", "port0", "master", "bh-a");
  for (const gateway of ["10.64.1.1", "fd64:0:1::1"]) ip("-n", box, "route", "add", "default", "via", gateway);
  cable(bench.netns, "card", outside, ["192.0.2.1/24", "2001:db8::1/64"]);
  for (const one of ["192.0.2.2/24", "2001:db8::2/64"])
    ip("-n", bench.netns, "addr", "add", one, "dev", "card", ...(one.includes(":") ? ["nodad"] : []));
  return { ...bench, box, outside, nft: bench.rules as NftBackend };
}

export function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: "pipe" });
}

function space(t: TestContext): string {
  const name = `bht-${randomBytes(4).toString("hex")}`;
  ip("netns", "add", name);
  t.cleanup(() => ip("netns", "delete", name));
  ip("-n", name, "link", "set", "lo", "up");
  return name;
}

function cable(host: string, near: string, to: string, addresses: readonly string[]): void {
  ip("-n", host, "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", to);
  ip("-n", host, "link", "set", near, "up");
  ip("-n", to, "link", "set", "eth0", "up");
  for (const one of addresses) ip("-n", to, "addr", "add", one, "dev", "eth0", ...(one.includes(":") ? ["nodad"] : []));
}

/** A Node with a script in a namespace; ended with the test. */
export function nodeIn(t: TestContext, netns: string, script: string, ...args: readonly string[]): ChildProcess {
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", script, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return child;
}

/** The same, until it says something. */
export async function readyIn(
  t: TestContext,
  netns: string,
  script: string,
  ...args: readonly string[]
): Promise<ChildProcess> {
  const child = nodeIn(t, netns, script, ...args);
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child;
}

/** All that a Node with a script says. */
export async function saidIn(
  t: TestContext,
  netns: string,
  script: string,
  ...args: readonly string[]
): Promise<string> {
  const child = nodeIn(t, netns, script, ...args);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve) => child.once("close", () => resolve()));
  return text.trim();
}

/** Binds a port and says so, or says the system's word: `[protocol, address, port]`. */
export const TAKE = `
const [protocol, host, port] = process.argv.slice(1);
const s = protocol === "tcp" ? require("node:net").createServer() : require("node:dgram").createSocket({ type: host.includes(":") ? "udp6" : "udp4", ipv6Only: host.includes(":") });
s.on("error", (e) => { console.log(e.code); process.exit(0); });
const done = () => console.log("bound");
if (protocol === "tcp") s.listen({ host, port: Number(port), ipv6Only: true }, done); else s.bind(Number(port), host, done);
if (process.argv[4] === "once") setTimeout(() => process.exit(0), 50);`;

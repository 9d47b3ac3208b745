/** Probes of the network: opening sockets, seeing interfaces, connecting to servers of the platform. */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, createServer, type NetConnectOpts } from "node:net";
import { networkInterfaces } from "node:os";
import { observe, type Probe, probe, probeAsync, type Targets } from "../probe.js";

/** Time to connect, in milliseconds: everything is on loopback. */
const CONNECT_MS = 1_000;
/** Errors of `socket()` itself: it is forbidden, or the machine lacks the family. All others come later. */
const CLOSED: readonly string[] = ["EPERM", "EACCES", "EAFNOSUPPORT", "ERR_ACCESS_DENIED"];

export async function inet(): Promise<readonly Probe[]> {
  return await internet("4", "127.0.0.1");
}

export async function inet6(): Promise<readonly Probe[]> {
  return await internet("6", "::1");
}

async function internet(version: "4" | "6", host: string): Promise<readonly Probe[]> {
  return [
    opened(await probeAsync(`connect by TCP, IPv${version}`, () => connected({ host, port: 9 }))),
    opened(await probeAsync(`listen by TCP, IPv${version}`, () => listening(host))),
    opened(await probeAsync(`bind UDP, IPv${version}`, () => bound(version, host))),
  ];
}

export async function unix(): Promise<readonly Probe[]> {
  return [
    opened(await probeAsync("open a Unix socket by path", () => connected({ path: "/bulkhead-doctor-nobody" }))),
    opened(await probeAsync("open an abstract Unix socket", () => connected({ path: "\0bulkhead-doctor-nobody" }))),
  ];
}

/** Lists the interfaces, for which Node opens a netlink socket. */
export function netlink(): readonly Probe[] {
  return [probe("ask for the interfaces through netlink", () => Object.keys(networkInterfaces()))];
}

/** Counts a socket that could not connect as opened. */
function opened(tried: Probe): Probe {
  return { ...tried, through: tried.through || !CLOSED.includes(tried.said) };
}

export function interfaces(): readonly Probe[] {
  const names = lines("/proc/net/dev", 2).map((line) => line.split(":")[0]?.trim() ?? "");
  const routes = lines("/proc/net/route", 1);
  const sockets = lines("/proc/net/unix", 1);
  const others = names.filter((name) => name !== "lo");
  return [
    observe("see an interface beyond lo", others.length > 0, names.join(" ") || "none"),
    observe("see a route", routes.length > 0, `${routes.length} routes`),
    observe("see Unix sockets of others", sockets.length > 0, `${sockets.length} sockets`),
  ];
}

function lines(path: string, headings: number): readonly string[] {
  const found = readFileSync(path, "utf8").split("\n").slice(headings);
  return found.filter((line) => line.trim() !== "");
}

/** Connects to servers that the platform has set up for this. */
export async function reach({ ports }: Targets): Promise<readonly Probe[]> {
  const tried: Probe[] = [];
  const inets = [["127.0.0.1", ports.v4] as const, ["::1", ports.v6] as const];
  for (const [host, port] of inets) {
    if (port !== undefined)
      tried.push(await probeAsync(`connect to the platform at ${host}`, () => connected({ host, port })));
  }
  for (const path of ports.paths) {
    const name = path.startsWith("\0") ? "its abstract socket" : "its Unix socket";
    tried.push(await probeAsync(`connect to the platform at ${name}`, () => connected({ path })));
  }
  return tried;
}

function connected(to: NetConnectOpts): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...to, timeout: CONNECT_MS });
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", reject);
    socket.once("timeout", () => {
      socket.destroy();
      reject(new Error("no answer"));
    });
  });
}

function listening(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => server.close(() => resolve("listening")));
  });
}

function bound(version: "4" | "6", host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(`udp${version}`);
    socket.once("error", reject);
    socket.bind(0, host, () => socket.close(() => resolve("bound")));
  });
}

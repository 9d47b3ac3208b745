/** Hosts with the overlay driver, each a process and a namespace of its own, joined by a bridge, on one etcd. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Json } from "#dist/index.js";
import { copyForTest, testPolicy } from "#dist/testing/plugin-copy.js";
import type { TestContext } from "../harness.js";
import { REPO } from "../kit/host.js";
import { type Etcd, startEtcd } from "../permissions/cluster/etcd.js";
import { serveIn } from "../permissions/firewall/server.js";

const GRANT = {
  netlink: {
    kinds: ["bridge", "veth", "vxlan"],
    prefix: "ov",
    subnets: ["10.64.0.0/10", "fd64::/32"],
    parents: ["eth0"],
    vniFrom: 4096,
    vniTo: 4223,
    remotes: ["198.51.100.0/24", "fd99::/64"],
    ports: [4789],
    max: 256,
  },
  firewall: { ports: [] },
} as const;

export interface Box {
  /** Its namespace, in which a server at port 80 answers with the endpoint's id and the caller's address. */
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface OverlayHost {
  readonly name: string;
  readonly netns: string;
  /** Sends an order of `overlay-host-main`; rejects with what it failed with. */
  ask(...order: readonly Json[]): Promise<Json>;
  /** Connects a container. `address`: what an engine gives it, in CIDR form. */
  box(nid: string, eid: string, address?: string): Promise<Box>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, with the same data; `options` of the driver besides its own. */
  start(options?: object): Promise<void>;
  /** Runs a program in its namespace. */
  run(...command: readonly string[]): string;
}

export interface OverlayHouse {
  readonly etcd: Etcd;
  /** Starts host `hN`, at `198.51.100.N`, or `fd99::N` over IPv6. */
  host(n: number): Promise<OverlayHost>;
}

const ip = (...args: readonly string[]): void => void execFileSync("ip", args, { stdio: "pipe" });

function space(t: TestContext): string {
  const name = `bht-${randomBytes(4).toString("hex")}`;
  ip("netns", "add", name);
  t.cleanup(() => ip("netns", "delete", name));
  ip("-n", name, "link", "set", "lo", "up");
  return name;
}

/** Starts an etcd, and a bridge without hosts yet. */
export async function overlayHouse(t: TestContext, family: 4 | 6 = 4): Promise<OverlayHouse> {
  const etcd = await startEtcd(t);
  const middle = space(t);
  ip("-n", middle, "link", "add", "middle", "type", "bridge");
  ip("-n", middle, "link", "set", "middle", "up");
  return {
    etcd,
    async host(n) {
      const netns = space(t);
      const port = `port${n}`;
      ip("-n", netns, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", middle);
      ip("-n", middle, "link", "set", port, "master", "middle", "up");
      ip("-n", netns, "address", "add", `198.51.100.${n}/24`, "dev", "eth0");
      ip("-n", netns, "address", "add", `fd99::${n}/64`, "dev", "eth0", "nodad");
      ip("-n", netns, "link", "set", "eth0", "up");
      const address = family === 4 ? `198.51.100.${n}` : `fd99::${n}`;
      return hostIn(t, netns, { host: `h${n}`, address, parent: "eth0" }, etcd.url);
    },
  };
}

async function hostIn(
  t: TestContext,
  netns: string,
  self: { readonly host: string; readonly address: string; readonly parent: string },
  store: string,
): Promise<OverlayHost> {
  const copy = await copyForTest(`${REPO}plugins/overlay`, undefined);
  t.cleanup(() => copy.remove());
  const folder = await t.folder();
  const policy = join(folder, "bulkhead.config.json");
  const script = fileURLToPath(new URL("overlay-host-main.js", import.meta.url));
  let running: Running | undefined;
  const one: OverlayHost = {
    name: self.host,
    netns,
    async ask(...order) {
      if (!running) throw new Error(`${self.host} is not running`);
      return running.ask(order);
    },
    async box(nid, eid, address = "") {
      const box = space(t);
      const made = (await one.ask("box", nid, eid, box, address)) as { ipv4: string; ipv6: string };
      await serveIn(t, box, "tcp", "::", 80, eid);
      const plain = (cidr: string): string => cidr.split("/")[0] ?? "";
      return { netns: box, ipv4: plain(made.ipv4), ipv6: plain(made.ipv6) };
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    async start(options = {}) {
      const entry = { options: { overlay: { ...self, ...options } } };
      await writeFile(policy, JSON.stringify(testPolicy(copy.found, GRANT, entry)));
      running = await start(t, [script, netns, join(folder, "data"), copy.folder, policy, store]);
    },
    run: (...command) => execFileSync("ip", ["netns", "exec", netns, ...command], { encoding: "utf8", stdio: "pipe" }),
  };
  await one.start();
  return one;
}

interface Running {
  ask(order: readonly Json[]): Promise<Json>;
  kill(): Promise<void>;
}

async function start(t: TestContext, args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((line: string) => void)[] = [];
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => {
    for (const tell of waiting) tell('= {"error":"the host has ended"}');
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  t.cleanup(kill);
  const heard = (): Promise<string> => new Promise((resolve) => void waiting.push(resolve));
  const ready = heard();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (process.env.BULKHEAD_TEST_LOG !== undefined) console.log(line);
    if (line === "ready" || line.startsWith("= ")) waiting.shift()?.(line);
  });
  if ((await ready) !== "ready") throw new Error("the host has not started");
  return {
    kill,
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value = null, error } = JSON.parse((await heard()).slice(2)) as { value?: Json; error?: string };
      if (error !== undefined) throw new Error(error);
      return value;
    },
  };
}

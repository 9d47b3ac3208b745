/** The resolver's sockets in namespaces of the test's own: a client on a bridge, a machine elsewhere, and a plugin that answers. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Json } from "#dist/driverapi/json.js";
import type { TestContext } from "../../harness.js";
import { bridgeOf } from "../firewall/backends.js";
import { type Opened, type ResolverBench, resolverBench } from "./backends.js";

export interface Wired extends ResolverBench {
  /** A client on the bridge, 10.64.1.2; and a machine elsewhere, 192.0.2.1, to which the host has a cable. */
  readonly client: string;
  readonly outside: string;
}

export async function wired(t: TestContext): Promise<Wired> {
  const bench = await resolverBench(t, "kernel");
  const { netns } = bench;
  const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "pipe" });
  const space = (near: string, address: string): string => {
    const name = `bht-${randomBytes(4).toString("hex")}`;
    ip("netns", "add", name);
    t.cleanup(() => ip("netns", "delete", name));
    ip("-n", netns, "link", "add", near, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("-n", netns, "link", "set", near, "up");
    ip("-n", name, "link", "set", "lo", "up");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "addr", "add", address, "dev", "eth0");
    return name;
  };
  await bridgeOf(bench.ask, "bh-a", "10.64.1.1/24");
  const client = space("v1", "10.64.1.2/24");
  ip("-n", netns, "link", "set", "v1", "master", "bh-a");
  const outside = space("card", "192.0.2.53/24");
  ip("-n", netns, "addr", "add", "192.0.2.2/24", "dev", "card");
  ip("-n", outside, "route", "add", "10.64.1.0/24", "via", "192.0.2.2");
  return { ...bench, client, outside };
}

/**
 * Answers every query with its own bytes, upside down, until the test ends. Returns the texts it got. `keepMs`: for how long the answers
 * may be given again.
 */
export function echo(t: TestContext, { ask, power }: Opened, keepMs?: Json): string[] {
  const got: string[] = [];
  let over = false;
  t.cleanup(() => {
    over = true;
  });
  void (async () => {
    while (!over) {
      const queries = (await ask("next", "w1")) as unknown as { id: number; message: string; tcp: boolean }[];
      for (const { id, message, tcp } of queries) {
        const text = Buffer.from(message, "base64").toString();
        got.push(`${tcp ? "tcp" : "udp"} ${text}`);
        const reply = Buffer.from([...text].reverse().join("")).toString("base64");
        power.notices?.get("resolver.answer")?.([id, reply, ...(keepMs === undefined ? [] : [keepMs])]);
      }
    }
  })().catch(() => {});
  return got;
}

/** Runs a script in a namespace; returns its output. */
export async function run(netns: string, script: string, ...args: string[]): Promise<string> {
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  await new Promise<void>((resolve) => child.once("close", () => resolve()));
  return text.trim();
}

/** Sends datagrams of a text, N times, and prints how many replies came within the time, and the first one. */
export const FLOOD = `
const [host, text, times, ms] = process.argv.slice(1);
const s = require("node:dgram").createSocket("udp4");
let n = 0, first = "";
s.on("message", (d) => { first ||= String(d); if (++n === Number(times)) done(); });
const done = () => { console.log(n + " " + first); process.exit(0); };
for (let i = 0; i < Number(times); i++) s.send(text, 53, host);
setTimeout(done, Number(ms));`;

/** Sends messages over one TCP connection, and prints the replies. */
export const STREAM = `
const [host, ...texts] = process.argv.slice(1);
const framed = (t) => { const b = Buffer.alloc(2 + t.length); b.writeUInt16BE(t.length); b.write(t, 2); return b; };
const c = require("node:net").connect(53, host, () => { for (const t of texts) c.write(framed(t)); });
let got = Buffer.alloc(0), replies = [];
const done = () => { console.log(replies.join(" ")); process.exit(0); };
c.on("data", (d) => {
  got = Buffer.concat([got, d]);
  while (got.length > 2 && got.length >= 2 + got.readUInt16BE()) {
    replies.push(String(got.subarray(2, 2 + got.readUInt16BE())));
    got = got.subarray(2 + got.readUInt16BE());
  }
  if (replies.length === texts.length) done();
}).on("close", done).on("error", done);
setTimeout(done, 3000);`;

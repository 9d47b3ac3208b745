/** Traffic between two namespaces: Node programs that send, echo and count, each ended with its test. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Json } from "#dist/driverapi/json.js";
import type { TestContext } from "../../harness.js";
import { type TrafficBench, trafficBench } from "./backends.js";

/** Counts what comes by TCP; after `settle` ms it prints how many bytes came in the next `ms`, and in how many ms they came. */
const SINK = `
const [host, settle, ms] = process.argv.slice(1);
require("node:net").createServer((c) => {
  let bytes = 0;
  c.on("data", (d) => (bytes += d.length)).on("error", () => {});
  setTimeout(() => {
    const [from, began] = [bytes, performance.now()];
    setTimeout(() => console.log(JSON.stringify({ bytes: bytes - from, ms: performance.now() - began })), Number(ms));
  }, Number(settle));
}).listen({ host, port: 9000 }, () => console.log("ready"));`;

/** Sends by TCP as fast as it can. */
const SOURCE = `
const c = require("node:net").connect({ host: process.argv[1], port: 9000 });
const piece = Buffer.alloc(65536);
const more = () => { while (c.write(piece)); };
c.on("connect", more).on("drain", more).on("error", () => process.exit());`;

/** Returns every datagram. */
const ECHO = `
const s = require("node:dgram").createSocket("udp4");
s.on("message", (d, from) => s.send(d, from.port, from.address));
s.bind(9001, process.argv[1], () => console.log("ready"));`;

/** Sends numbered datagrams at an interval; prints the time each took to come back, in ms. */
const PING = `
const [host, count, gap] = process.argv.slice(1);
const s = require("node:dgram").createSocket("udp4");
const sent = [], took = [];
s.on("message", (d) => took.push(performance.now() - sent[d.readUInt32BE(0)]));
const data = Buffer.alloc(64);
let n = 0;
const next = () => {
  if (n === Number(count)) return setTimeout(() => { console.log(JSON.stringify(took)); process.exit(); }, 1000);
  data.writeUInt32BE(n);
  sent[n++] = performance.now();
  s.send(Buffer.from(data), 9001, host, () => setTimeout(next, Number(gap)));
};
next();`;

/** The machine's end, and an endpoint's in a sandbox of its own. */
const MACHINE = "10.64.0.1";
const ENDPOINT = "10.64.0.2";

export interface Wire extends TrafficBench {
  /** Mbit per second on the wire, headers included, from one end to the other; `settleMs`: from the connection to the first count. */
  rate(to: "endpoint" | "machine", settleMs?: number): Promise<number>;
  /** The times that datagrams took to the endpoint and back, in ms; without those that were lost. */
  ping(count: number, gapMs: number): Promise<readonly number[]>;
}

/** A veth pair, one end in a sandbox, with addresses; no shape. */
export async function wire(t: TestContext): Promise<Wire> {
  const bench = await trafficBench(t, "kernel");
  const { ask, hub, netns } = bench;
  const box = `${netns}-b`;
  const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8" });
  ip("netns", "add", box);
  t.cleanup(() => ip("netns", "delete", box));
  await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
  await ask("addAddress", "bh-v", `${MACHINE}/24`);
  await ask("setLink", "bh-v", { up: true });
  await hub.moved("bh-w", box);
  ip("-n", netns, "link", "set", "bh-w", "netns", box);
  ip("-n", box, "address", "add", `${ENDPOINT}/24`, "dev", "bh-w");
  ip("-n", box, "link", "set", "bh-w", "up");

  const run = (where: string, script: string, ...args: string[]): Program => new Program(t, where, script, args);
  return {
    ...bench,
    async rate(to, settleMs = 700) {
      const [host, at, from] = to === "endpoint" ? [ENDPOINT, box, netns] : [MACHINE, netns, box];
      const sink = run(at, SINK, host, String(settleMs), "2500");
      await sink.line();
      const source = run(from, SOURCE, host);
      const { bytes, ms } = (await sink.line()) as { bytes: number; ms: number };
      await Promise.all([sink.end(), source.end()]);
      // A full segment has 1448 bytes of data in a frame of 1514.
      return ((bytes * 8) / ms / 1000) * (1514 / 1448);
    },
    async ping(count, gapMs) {
      const echo = run(box, ECHO, ENDPOINT);
      await echo.line();
      const ping = run(netns, PING, ENDPOINT, String(count), String(gapMs));
      const took = (await ping.line()) as unknown as readonly number[];
      await Promise.all([echo.end(), ping.end()]);
      return took;
    },
  };
}

class Program {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestContext, netns: string, script: string, args: readonly string[]) {
    const command = [`--net=/run/netns/${netns}`, process.execPath, "-e", script, ...args];
    this.#child = spawn("nsenter", command, { stdio: ["ignore", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    t.cleanup(() => this.end());
  }

  /** The next line that it prints: `ready`, or JSON. */
  async line(): Promise<Json> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("a program of the test ended before it said anything");
    return value === "ready" ? value : (JSON.parse(value) as Json);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

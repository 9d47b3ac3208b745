/** A little server or client in a namespace: a Node of its own, which says when it listens. */
import { spawn } from "node:child_process";
import type { TestContext } from "../../harness.js";

/** Answers every connection with the caller's address and what it is called; UDP likewise. */
const SERVER = `
const [protocol, host, port, name] = process.argv.slice(1);
if (protocol === "tcp") {
  const s = require("node:net").createServer((c) => { c.on("error", () => {}); c.end(name + " " + c.remoteAddress); });
  s.listen({ host, port: Number(port) }, () => console.log("ready"));
} else {
  const s = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
  s.on("message", (_, from) => s.send(name + " " + from.address, from.port, from.address));
  s.bind(Number(port), host, () => console.log("ready"));
}`;

const CLIENT = `
const [protocol, host, port, ms] = process.argv.slice(1);
const done = (text) => { console.log(text); process.exit(0); };
if (protocol === "tcp") {
  let text = "";
  const c = require("node:net").connect({ host, port: Number(port) });
  c.on("data", (d) => (text += d)).on("end", () => done(text)).on("error", () => done("nothing"));
} else {
  const s = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
  s.on("message", (d) => done(String(d))).on("error", () => done("nothing"));
  s.send("hello", Number(port), host);
}
setTimeout(() => done("nothing"), Number(ms));`;

/** Listens in a namespace until the test ends. */
export async function serveIn(
  t: TestContext,
  netns: string,
  protocol: "tcp" | "udp",
  host: string,
  port: number,
  name: string,
): Promise<void> {
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", SERVER, protocol, host, String(port), name],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the server of the test ended with ${code}`)));
  });
}

/** What a server answers: `NAME CALLER`; "nothing" when none does within `ms`. */
export async function callFrom(
  netns: string,
  protocol: "tcp" | "udp",
  host: string,
  port: number,
  ms = 5000,
): Promise<string> {
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", CLIENT, protocol, host, String(port), String(ms)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  await new Promise<void>((resolve) => child.once("close", () => resolve()));
  return text.trim();
}

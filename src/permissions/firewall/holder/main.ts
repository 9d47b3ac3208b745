/**
 * The port holder's process: binds published ports, and forwards what reaches them over loopback. It takes orders from its platform on
 * standard input, and ends when that closes, however the platform ends.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { ClientQuota } from "./client-quota.js";
import { HOLDER } from "./limits.js";
import type { Answer, Order } from "./messages.js";
import { HoldTable } from "./table.js";
import { TcpForward } from "./tcp.js";
import { UdpForward } from "./udp.js";

process.title = "bulkhead-port-holder";
const say = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
const quotas = {
  // A connection takes two descriptors.
  tcp: new ClientQuota(HOLDER.connectionsPerPort, Math.min(HOLDER.connections, Math.floor(descriptors() / 4))),
  udp: new ClientQuota(HOLDER.flowsPerPort, Math.min(HOLDER.flows, Math.floor(descriptors() / 4))),
};

let told = 0;
/** Limits fault lines: a flood causes the same one very often. */
function log(text: string): void {
  if (told++ < HOLDER.logLines) say({ log: text });
}
setInterval(() => {
  told = 0;
}, 60_000).unref();

const table = new HoldTable((protocol, target) =>
  protocol === "tcp"
    ? new TcpForward({ target, quota: quotas.tcp, log })
    : new UdpForward({ target, quota: quotas.udp, log }),
);

/** Serializes orders. */
let line: Promise<void> = Promise.resolve();
createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  .on("line", (text) => {
    const order = JSON.parse(text) as Order;
    line = line.then(() => carryOut(order));
  })
  // The platform is gone, or does not need any port any more.
  .on("close", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
say({ ready: true });

async function carryOut(order: Order): Promise<void> {
  const { id } = order;
  if ("hold" in order) say({ id, ...(await table.hold(order.hold)) });
  else {
    await table.release(order.release);
    say({ id });
  }
}

/** Returns how many files this process may have open. */
function descriptors(): number {
  const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(soft) || HOLDER.descriptors;
}

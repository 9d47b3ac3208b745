/**
 * The port holder's process: it binds published ports, and passes on what reaches them over loopback. It takes orders on standard input,
 * which only its platform has the other end of, and ends when that closes, however the platform ends.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { HOLDER } from "./limits.js";
import type { Answer, Order } from "./messages.js";
import { Seats } from "./seats.js";
import { HoldTable } from "./table.js";
import { TcpForward } from "./tcp.js";
import { UdpForward } from "./udp.js";

process.title = "bulkhead-port-holder";
const say = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
const seats = {
  // A connection takes two descriptors.
  tcp: new Seats(HOLDER.connectionsPerPort, Math.min(HOLDER.connections, Math.floor(descriptors() / 4))),
  udp: new Seats(HOLDER.flowsPerPort, Math.min(HOLDER.flows, Math.floor(descriptors() / 4))),
};

let told = 0;
/** Floods say the same thing very often: a few lines a minute are enough. */
function log(text: string): void {
  if (told++ < HOLDER.logLines) say({ log: text });
}
setInterval(() => {
  told = 0;
}, 60_000).unref();

const table = new HoldTable((protocol, target) =>
  protocol === "tcp"
    ? new TcpForward({ target, seats: seats.tcp, log })
    : new UdpForward({ target, seats: seats.udp, log }),
);

/** Orders are carried out one after another. */
let line: Promise<void> = Promise.resolve();
createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  .on("line", (text) => {
    const order = JSON.parse(text) as Order;
    line = line.then(() => carryOut(order));
  })
  // The platform is gone, or wants nothing held any more.
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

/** How many files this process may have open. */
function descriptors(): number {
  const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(soft) || HOLDER.descriptors;
}

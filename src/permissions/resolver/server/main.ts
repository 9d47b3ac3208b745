/**
 * The resolver's process: the sockets at which networks' name queries arrive, and those to upstream servers. It takes orders from its
 * platform on standard input, and ends when that closes, however the platform ends.
 */
import { randomInt } from "node:crypto";
import { RESOLVER } from "../limits.js";
import { ask } from "./ask.js";
import { LineReader } from "./lines.js";
import { type Asked, QueryListener } from "./listener.js";
import type { Order, Said } from "./messages.js";

process.title = "bulkhead-resolver";

const listeners = new Map<string, QueryListener>();
/** Queries without an answer, by id. */
const open = new Map<number, { readonly asked: Asked; readonly late: NodeJS.Timeout }>();
/** Begins at a random id: an answer to a query of the previous process must not match a query of this one. */
let next = randomInt(2 ** 47);
let told = 0;

function say(said: Said): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

/** Limits fault lines: a flood causes the same one very often. */
function log(text: string): void {
  if (told++ < RESOLVER.logLines) say({ log: text });
}
setInterval(() => {
  told = 0;
}, 60_000).unref();

function heard(asked: Asked): void {
  const id = next++;
  open.set(id, { asked, late: setTimeout(() => settle(id), RESOLVER.queryMs) });
  say({ query: { id, ...asked.query } });
}

/** Answers a query, or gives it up. */
function settle(id: number, message?: string, keepMs = 0): void {
  const one = open.get(id);
  if (!one) return;
  open.delete(id);
  clearTimeout(one.late);
  one.asked.done();
  if (message !== undefined) one.asked.reply(Buffer.from(message, "base64"), keepMs);
}

async function carryOut(order: Order): Promise<void> {
  if ("answer" in order) return settle(order.answer, order.message, order.keepMs);
  if ("drop" in order) return settle(order.drop);
  const { id } = order;
  try {
    if ("listen" in order) {
      const { ip } = order.listen;
      const there = listeners.get(ip);
      // A handler takes over: what the one before it said must not be said again.
      if (there) there.forget();
      else {
        const listener = new QueryListener(order.listen, heard, log);
        // Orders do not wait for each other: a second one for this address finds it.
        listeners.set(ip, listener);
        await listener.open().catch((error: unknown) => {
          listeners.delete(ip);
          throw error;
        });
      }
      say({ id });
    } else if ("stop" in order) {
      listeners.get(order.stop)?.close();
      listeners.delete(order.stop);
      say({ id });
    } else say({ id, message: (await ask(order.ask)).toString("base64") });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    say({ id, code: code ?? message });
  }
}

const reader = new LineReader(RESOLVER.lineBytes);
process.stdin
  .on("data", (piece) => {
    const lines = reader.read(piece);
    // An order that is too long: the platform starts this process again.
    if (!lines) process.exit(1);
    for (const line of lines) void carryOut(JSON.parse(line) as Order);
  })
  // The platform has ended, or does not need this process any more.
  .on("end", () => process.exit(0))
  .on("error", () => process.exit(0));
process.stdout.on("error", () => process.exit(0));
say({ ready: true });

/**
 * The process of a test's name server, `ADDRESS [ZONE]`: orders on standard input, one reply each. A zone given at the start is an order
 * too.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import packet from "dns-packet";
import { replyTo, type Zone } from "./name-server.js";

const [ip = "", given] = process.argv.slice(2);
let zone: Zone = given === undefined ? {} : JSON.parse(given);
const asked: string[] = [];

function reply(question: Uint8Array): Buffer {
  const [first] = packet.decode(Buffer.from(question)).questions ?? [];
  asked.push(`${first?.name} ${first?.type}`);
  return replyTo(question, zone);
}

const datagrams = createSocket(ip.includes(":") ? "udp6" : "udp4");
datagrams.on("message", (question, from) => datagrams.send(reply(question), from.port, from.address));
const server = createServer((connection) => {
  connection.on("error", () => {});
  connection.once("data", (piece) => {
    const message = reply(piece.subarray(2));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    connection.end(Buffer.concat([length, message]));
  });
});
await new Promise<void>((resolve) => datagrams.bind(53, ip, () => resolve()));
await new Promise<void>((resolve) => server.listen(53, ip, () => resolve()));
if (given !== undefined) console.log("ready");

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line) as { zone?: Zone };
  if (order.zone) zone = order.zone;
  console.log(order.zone ? "ready" : JSON.stringify(asked));
});

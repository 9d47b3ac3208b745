/**
 * Web servers of a test, `ADDRESS PORT…`: ports of every address, and UDP port 123 of one; each says its own address and port. One port
 * echoes, and one sends without end.
 */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";

const STREAM = 81;
const ENDLESS = 82;
const PIECE = Buffer.alloc(65_536);
const [timeAt, ...ports] = process.argv.slice(2);
for (const port of ports.map(Number)) {
  await new Promise<void>((resolve) =>
    createServer((connection) => {
      connection.on("error", () => {});
      if (port === STREAM) connection.pipe(connection);
      else if (port === ENDLESS) endless(connection);
      else connection.end(`web ${connection.localAddress} ${port}`);
    }).listen({ host: "::", port }, () => resolve()),
  );
}

/** Sends until the other end has enough. */
function endless(connection: Socket): void {
  while (!connection.destroyed && connection.write(PIECE));
  connection.once("drain", () => endless(connection));
}

const datagrams = createSocket("udp4");
datagrams.on("message", (_, from) => datagrams.send("time", from.port, from.address));
await new Promise<void>((resolve) => datagrams.bind(123, timeAt, () => resolve()));
console.log("ready");

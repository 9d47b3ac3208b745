/** An engine's connections to the gateway: each creates an endpoint and deletes it, again and again, over a Unix socket. */
import { once } from "node:events";
import { connect } from "node:net";
import { LOAD_NETWORK, loadId, loadRequest } from "#dist/load/request.js";

/** Makes `calls` calls over `connections`, with endpoints numbered from `first`. Rejects if one is refused. */
export async function engineLoad(socket: string, connections: number, calls: number, first: number): Promise<void> {
  const last = first + calls / 2;
  let n = first;
  const next = (): number | undefined => (n < last ? n++ : undefined);
  await Promise.all(Array.from({ length: connections }, () => caller(socket, next)));
}

async function caller(path: string, next: () => number | undefined): Promise<void> {
  const stream = connect(path).setEncoding("latin1");
  await once(stream, "connect");
  let body = "";
  const ask = (request: string): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.once("close", () => reject(new Error("the gateway closed the connection")));
      const read = (text: string): void => {
        body += text;
        const head = body.indexOf("\r\n\r\n");
        if (head < 0 || body.length < head + 4 + lengthOf(body)) return;
        const reply = body;
        body = "";
        stream.off("data", read).removeAllListeners("close");
        if (reply.startsWith("HTTP/1.1 200")) resolve();
        else reject(new Error(reply));
      };
      stream.on("data", read);
      stream.write(request);
    });
  try {
    for (let n = next(); n !== undefined; n = next()) {
      await ask(post("CreateEndpoint", createBody(n)));
      await ask(post("DeleteEndpoint", JSON.stringify({ NetworkID: LOAD_NETWORK, EndpointID: loadId(n + 2) })));
    }
  } finally {
    stream.destroy();
  }
}

function lengthOf(reply: string): number {
  return Number(/content-length: (\d+)/i.exec(reply)?.[1]);
}

function createBody(n: number): string {
  const { nid, eid, options } = loadRequest(n);
  const Address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}/8`;
  const Interface = { Address, AddressIPv6: "", MacAddress: "" };
  return JSON.stringify({ NetworkID: nid, EndpointID: eid, Interface, Options: options });
}

function post(method: string, body: string): string {
  const head = `POST /NetworkDriver.${method} HTTP/1.1\r\nHost: plugin\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Answers names at one address: UDP and TCP, port 53. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6, type Socket as Link, type Server } from "node:net";
import { forward, framed, unframed } from "./forward.js";
import { NAMES } from "./limits.js";
import { readQuery, reply } from "./message.js";
import type { Zone } from "./zone.js";

const PORT = 53;

export class NameServer {
  readonly #address: string;
  readonly #zone: () => Zone;
  readonly #udp: Socket;
  readonly #tcp: Server;
  /** The client of each connection. */
  readonly #links = new Map<Link, string>();
  /** By client: queries that wait for another server's reply. */
  readonly #waiting = new Map<string, number>();
  #closed = false;

  private constructor(address: string, zone: () => Zone) {
    this.#address = address;
    this.#zone = zone;
    this.#udp = createSocket(isIPv6(address) ? "udp6" : "udp4");
    this.#udp.on("error", () => {});
    this.#udp.on("message", (query, { address: from, port }) => {
      this.#answered(query, from, "udp", (bytes) => this.#send(bytes, port, from));
    });
    this.#tcp = createServer((link) => this.#serve(link));
    this.#tcp.on("error", () => {});
    this.#tcp.maxConnections = NAMES.connections;
  }

  /** Rejects with the system's error. `port`: for tests. */
  static async open(address: string, zone: () => Zone, port: number = PORT): Promise<NameServer> {
    const one = new NameServer(address, zone);
    try {
      one.#udp.bind(port, address);
      await once(one.#udp, "listening");
      one.#tcp.listen({ port, host: address });
      await once(one.#tcp, "listening");
    } catch (error) {
      one.close();
      throw error;
    }
    return one;
  }

  close(): void {
    this.#closed = true;
    this.#udp.close();
    this.#tcp.close();
    for (const link of this.#links.keys()) link.destroy();
  }

  /** Answers a query through `give`; a query that has no answer, and an answer that cannot be sent, is dropped. */
  #answered(query: Buffer, from: string, protocol: "udp" | "tcp", give: (bytes: Buffer) => void): void {
    this.#answer(query, from, protocol)
      .then((bytes) => bytes && give(bytes))
      .catch(() => {});
  }

  async #answer(bytes: Buffer, from: string, protocol: "udp" | "tcp"): Promise<Buffer | undefined> {
    const query = bytes.length <= NAMES.queryBytes ? readQuery(bytes) : undefined;
    if (!query) return undefined;
    const verdict = this.#zone().judge(this.#address, from, query);
    if (verdict.kind !== "forward") return reply(query, verdict);
    const waiting = this.#waiting.get(from) ?? 0;
    if (waiting >= NAMES.forwardsPerClient) return undefined;
    this.#waiting.set(from, waiting + 1);
    try {
      return (await forward(bytes, verdict.to, protocol)) ?? reply(query, { kind: "failed" });
    } finally {
      const left = (this.#waiting.get(from) ?? 1) - 1;
      if (left > 0) this.#waiting.set(from, left);
      else this.#waiting.delete(from);
    }
  }

  /** Throws for a client's port 0. */
  #send(bytes: Buffer, port: number, to: string): void {
    if (this.#closed || this.#udp.getSendQueueSize() > NAMES.queueBytes) return;
    this.#udp.send(bytes, port, to, () => {});
  }

  #serve(link: Link): void {
    const from = link.remoteAddress ?? "";
    link.on("error", () => link.destroy());
    if ([...this.#links.values()].filter((one) => one === from).length >= NAMES.connectionsPerClient) {
      link.destroy();
      return;
    }
    this.#links.set(link, from);
    link.on("close", () => this.#links.delete(link));
    link.setTimeout(NAMES.idleMs, () => link.destroy());
    let got = Buffer.alloc(0);
    let queries = 0;
    link.on("data", (part: Buffer) => {
      got = Buffer.concat([got, part]);
      for (let query = unframed(got); query && !link.destroyed; query = unframed(got)) {
        got = got.subarray(2 + query.length);
        if (++queries > NAMES.queriesPerConnection) link.destroy();
        else this.#answered(query, from, "tcp", (bytes) => write(link, bytes));
      }
      if (got.length >= 2 && got.readUInt16BE(0) > NAMES.queryBytes) link.destroy();
    });
  }
}

/** Ends the connection of a client that does not read. */
function write(link: Link, bytes: Buffer): void {
  if (link.writableLength > NAMES.queueBytes) link.destroy();
  else if (link.writable) link.write(framed(bytes));
}

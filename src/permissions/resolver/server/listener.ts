/** Takes queries at one address, over UDP and TCP, and returns the answers. Of a message, it reads only the length. */
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { BlockList, createServer, isIPv6, type Server, type Socket } from "node:net";
import { monotonicNow } from "../../../common/clock.js";
import type { Listener, Query } from "../backend.js";
import { KeptAnswers } from "../kept-answers.js";
import { RESOLVER } from "../limits.js";
import { ClientLimits } from "./client-limits.js";
import { lengthPrefixed, MessageReader } from "./length-prefix.js";

const PORT = 53;

/** A query's way back. */
export interface Asked {
  readonly query: Omit<Query, "id">;
  /** Sends the answer. `keepMs`: for how long it may be given again; 0 for not at all. */
  reply(message: Buffer, keepMs: number): void;
  /** To be called once, when the query is answered or given up. */
  done(): void;
}

export class QueryListener {
  readonly #listener: Listener;
  readonly #heard: (asked: Asked) => void;
  readonly #log: (text: string) => void;
  readonly #limits: ClientLimits;
  readonly #network = new BlockList();
  /** Whether an address is of the network, of those that have asked lately: to check one takes as long as all else here. */
  readonly #known = new Map<string, boolean>();
  readonly #connections = new Map<Socket, string>();
  #kept = new KeptAnswers(monotonicNow);
  #datagrams: Datagrams | undefined;
  #server: Server | undefined;

  constructor(listener: Listener, heard: (asked: Asked) => void, log: (text: string) => void) {
    this.#listener = listener;
    this.#heard = heard;
    this.#log = log;
    this.#limits = new ClientLimits(listener);
    const [network = "", prefix] = listener.subnet.split("/");
    this.#network.addSubnet(network, Number(prefix), isIPv6(network) ? "ipv6" : "ipv4");
  }

  /** Binds both sockets, or none. */
  async open(): Promise<void> {
    try {
      await this.#openDatagrams();
      await this.#openServer();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Forgets all kept answers, and keeps none to the queries so far. */
  forget(): void {
    this.#kept = new KeptAnswers(monotonicNow);
  }

  close(): void {
    this.#datagrams?.close();
    this.#server?.close();
    for (const connection of this.#connections.keys()) connection.destroy();
  }

  #openDatagrams(): Promise<void> {
    const { ip } = this.#listener;
    const six = isIPv6(ip);
    const socket = createSocket({
      type: six ? "udp6" : "udp4",
      ipv6Only: six,
      lookup: (name, _, done) => done(null, name, six ? 6 : 4),
    });
    this.#datagrams = socket;
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: ip, port: PORT, exclusive: true }, () => {
        socket.off("error", reject).on("error", (error) => this.#log(`${ip}: ${error.message}`));
        resolve();
      });
      socket.on("message", (message, { address, port }) => {
        this.#take(address, false, message, (answer) => {
          if (answer.length > RESOLVER.datagramBytes) return;
          try {
            if (socket.getSendQueueSize() > RESOLVER.queueBytes) return;
            socket.send(answer, port, address, () => {});
          } catch {
            // The client used port 0, or the socket was closed meanwhile.
          }
        });
      });
    });
  }

  #openServer(): Promise<void> {
    const { ip } = this.#listener;
    const server = createServer((connection) => this.#connected(connection));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: ip, port: PORT, exclusive: true }, () => {
        server.off("error", reject).on("error", (error) => this.#log(`${ip}: ${error.message}`));
        resolve();
      });
    });
  }

  #connected(connection: Socket): void {
    const client = connection.remoteAddress ?? "";
    const own = [...this.#connections.values()].filter((one) => one === client).length;
    connection.on("error", () => {});
    if (this.#connections.size >= RESOLVER.connections || own >= RESOLVER.connectionsPerClient) {
      connection.destroy();
      return;
    }
    this.#connections.set(connection, client);
    connection.on("close", () => this.#connections.delete(connection));
    connection.setTimeout(RESOLVER.idleMs, () => connection.destroy());
    const reader = new MessageReader(RESOLVER.queryBytes);
    let queries = 0;
    connection.on("data", (piece) => {
      const messages = reader.read(piece);
      if (!messages) {
        connection.destroy();
        return;
      }
      for (const message of messages) {
        queries++;
        const taken =
          queries <= RESOLVER.queriesPerConnection &&
          this.#take(client, true, message, (answer) => {
            if (connection.writableLength > RESOLVER.queueBytes) connection.destroy();
            else if (!connection.destroyed) connection.write(lengthPrefixed(answer));
          });
        if (!taken) {
          connection.destroy();
          return;
        }
      }
    });
  }

  /** Returns false for a query that is dropped. One that is answered without the plugin counts like any other. */
  #take(from: string, tcp: boolean, message: Buffer, send: (answer: Buffer) => void): boolean {
    if (message.length > RESOLVER.queryBytes || !this.#isClient(from)) return false;
    if (!this.#limits.take(from)) return false;
    const kept = this.#kept;
    const asked = { from, tcp, message };
    const again = kept.get(asked);
    if (again) {
      this.#limits.done(from);
      send(again);
      return true;
    }
    const since = monotonicNow();
    this.#heard({
      query: { ip: this.#listener.ip, from, tcp, message: message.toString("base64") },
      reply: (answer, keepMs) => {
        kept.put(asked, answer, since, keepMs);
        send(answer);
      },
      done: () => this.#limits.done(from),
    });
    return true;
  }

  #isClient(address: string): boolean {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const is = this.#network.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    if (this.#known.size >= RESOLVER.clients) this.#known.clear();
    this.#known.set(address, is);
    return is;
  }
}

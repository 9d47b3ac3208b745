/** UDP: a socket towards the container for every client, so that answers find their way; one that is idle is closed. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { codeOf, type Forward, type ForwardOptions, type Target } from "./forward.js";
import { HOLDER } from "./limits.js";
import { isLoopback } from "./messages.js";
import type { Client, Group, Seats } from "./seats.js";

interface Flow extends Client {
  send(message: Buffer): void;
  /** When it was last heard of, in milliseconds. */
  last: number;
}

export class UdpForward implements Forward {
  readonly #seats: Seats;
  readonly #group: Group;
  readonly #log: (text: string) => void;
  readonly #flows = new Map<string, Flow>();
  #target: Target;
  #socket: Socket | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ target, seats, log }: ForwardOptions) {
    this.#target = target;
    this.#seats = seats;
    this.#group = seats.open();
    this.#log = log;
  }

  bind(host: string, port: number): Promise<void> {
    const socket = open(host);
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off("error", reject).on("error", (error) => this.#log(`port ${port}/udp: ${codeOf(error)}`));
        socket.on("message", (message, from) => {
          // What comes over a wire or a bridge goes by the firewall's rules alone.
          if (isLoopback(from.address)) this.#pass(message, from.address, from.port);
        });
        this.#sweep = setInterval(() => this.#endIdle(), HOLDER.flowIdleMs / 3);
        resolve();
      });
    });
  }

  retarget(target: Target): void {
    this.#target = target;
    for (const flow of [...this.#flows.values()]) flow.end();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#seats.close(this.#group);
    this.#socket?.close();
  }

  #pass(message: Buffer, address: string, port: number): void {
    const key = `${address} ${port}`;
    const flow = this.#flows.get(key) ?? this.#open(key, address, port);
    if (!flow) return;
    this.#heard(flow);
    flow.send(message);
  }

  #open(key: string, address: string, port: number): Flow | undefined {
    if (!this.#seats.room(this.#group, true)) return undefined;
    const { ip, port: to } = this.#target;
    const socket = open(ip);
    /** Datagrams that came before the socket was ready; undefined once it is. */
    let early: Buffer[] | undefined = [];
    const flow: Flow = {
      last: 0,
      send: (message) => {
        if (!early) post(socket, message);
        else if (early.length < HOLDER.early) early.push(message);
      },
      end: () => {
        if (!this.#flows.delete(key)) return;
        this.#seats.remove(this.#group, flow);
        socket.close();
      },
    };
    // The container refuses the port, or descriptors are lacking: the next datagram tries it afresh.
    socket.on("error", flow.end);
    socket.on("message", (message) => {
      this.#heard(flow);
      if (this.#socket) post(this.#socket, message, port, address);
    });
    // A callback that is given is told of the failure, and then no "error" follows.
    const connected = (error?: Error): void => {
      if (error) {
        flow.end();
        return;
      }
      for (const message of early ?? []) post(socket, message);
      early = undefined;
    };
    socket.connect(to, ip, connected as () => void);
    this.#flows.set(key, flow);
    this.#seats.add(this.#group, flow);
    return flow;
  }

  #heard(flow: Flow): void {
    flow.last = Date.now();
    this.#seats.touch(this.#group, flow);
  }

  #endIdle(): void {
    const before = Date.now() - HOLDER.flowIdleMs;
    for (const flow of [...this.#flows.values()]) if (flow.last < before) flow.end();
  }
}

/** A socket of an address's family. Names are not looked up. */
function open(ip: string): Socket {
  const six = isIPv6(ip);
  return createSocket({
    type: six ? "udp6" : "udp4",
    ipv6Only: six,
    lookup: (name, _, done) => done(null, name, six ? 6 : 4),
  });
}

/** Sends a datagram; where too many wait already it is lost, as on any full line. */
function post(socket: Socket, message: Buffer, ...to: [] | [port: number, address: string]): void {
  if (socket.getSendQueueSize() > HOLDER.queueBytes) return;
  const [port, address] = to;
  try {
    if (port === undefined) socket.send(message, () => {});
    else socket.send(message, port, address, () => {});
  } catch {
    // A sender may name port 0, and a socket may have been closed meanwhile: the datagram is lost.
  }
}

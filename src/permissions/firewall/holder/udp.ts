/** UDP: a socket to the container per client, so that replies can be assigned. Idle ones are closed. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Client, ClientQuota, Group } from "./client-quota.js";
import { codeOf, type Forward, type ForwardOptions, type Target } from "./forward.js";
import { HOLDER } from "./limits.js";
import { isLoopback } from "./messages.js";

interface Flow extends Client {
  send(message: Buffer): void;
  /** Time of its last datagram, in milliseconds. */
  last: number;
}

export class UdpForward implements Forward {
  readonly #quota: ClientQuota;
  readonly #group: Group;
  readonly #log: (text: string) => void;
  readonly #flows = new Map<string, Flow>();
  #target: Target;
  #socket: Socket | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor({ target, quota, log }: ForwardOptions) {
    this.#target = target;
    this.#quota = quota;
    this.#group = quota.open();
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
          // Datagrams from a wire or a bridge must pass the firewall's rules.
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
    this.#quota.close(this.#group);
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
    if (!this.#quota.room(this.#group, true)) return undefined;
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
        this.#quota.remove(this.#group, flow);
        socket.close();
      },
    };
    // The container refuses the port, or there are no free descriptors: the next datagram tries again.
    socket.on("error", flow.end);
    socket.on("message", (message) => {
      this.#heard(flow);
      if (this.#socket) post(this.#socket, message, port, address);
    });
    // With a callback, a failure does not emit "error".
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
    this.#quota.add(this.#group, flow);
    return flow;
  }

  #heard(flow: Flow): void {
    flow.last = Date.now();
    this.#quota.touch(this.#group, flow);
  }

  #endIdle(): void {
    const before = Date.now() - HOLDER.flowIdleMs;
    for (const flow of [...this.#flows.values()]) if (flow.last < before) flow.end();
  }
}

/** Creates a socket of an address's family, without name lookups. */
function open(ip: string): Socket {
  const six = isIPv6(ip);
  return createSocket({
    type: six ? "udp6" : "udp4",
    ipv6Only: six,
    lookup: (name, _, done) => done(null, name, six ? 6 : 4),
  });
}

/** Sends a datagram; drops it if too many bytes are queued. */
function post(socket: Socket, message: Buffer, ...to: [] | [port: number, address: string]): void {
  if (socket.getSendQueueSize() > HOLDER.queueBytes) return;
  const [port, address] = to;
  try {
    if (port === undefined) socket.send(message, () => {});
    else socket.send(message, port, address, () => {});
  } catch {
    // The sender used port 0, or the socket was closed meanwhile: the datagram is dropped.
  }
}

/**
 * TCP: accepts, connects to the container, pipes both ways with half-close. A client that does not read stops only its own sender, by
 * back-pressure.
 */
import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import type { Client, ClientQuota, Group } from "./client-quota.js";
import { codeOf, type Forward, type ForwardOptions, type Target } from "./forward.js";
import { HOLDER } from "./limits.js";
import { isLoopback } from "./messages.js";

export class TcpForward implements Forward {
  readonly #quota: ClientQuota;
  readonly #group: Group;
  readonly #log: (text: string) => void;
  readonly #server: Server;
  #target: Target;

  constructor({ target, quota, log }: ForwardOptions) {
    this.#target = target;
    this.#quota = quota;
    this.#group = quota.open();
    this.#log = log;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#serve(client),
    );
  }

  bind(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, ipv6Only: true, exclusive: true, backlog: HOLDER.backlog }, () => {
        this.#server.off("error", reject);
        // Without free descriptors a new connection is dropped; the others continue.
        this.#server.on("error", (error) => this.#log(`port ${port}/tcp: ${codeOf(error)}`));
        resolve();
      });
    });
  }

  retarget(target: Target): void {
    this.#target = target;
  }

  close(): void {
    this.#server.close();
    this.#quota.close(this.#group);
  }

  #serve(client: Socket): void {
    if (!fromHere(client) || !this.#quota.room(this.#group, false)) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const { ip, port } = this.#target;
    const container = tcpConnect({ host: ip, port, allowHalfOpen: true, noDelay: true });
    const both = [client, container];
    const entry: Client = {
      end: () => {
        this.#quota.remove(this.#group, entry);
        for (const one of both) one.resetAndDestroy();
      },
    };
    this.#quota.add(this.#group, entry);
    const late = setTimeout(entry.end, HOLDER.connectMs);
    for (const one of both) {
      one.on("error", entry.end);
      one.once("close", () => {
        clearTimeout(late);
        if (both.every(({ closed, destroyed }) => closed || destroyed)) this.#quota.remove(this.#group, entry);
      });
      one.setKeepAlive(true, HOLDER.keepAliveMs);
    }
    container.once("connect", () => {
      clearTimeout(late);
      client.pipe(container);
      container.pipe(client);
    });
  }
}

/**
 * True for a connection of the machine with itself. Others must pass the firewall's rules: a forwarder that served them would bypass
 * isolation.
 */
function fromHere({ remoteAddress, localAddress }: Socket): boolean {
  return remoteAddress !== undefined && (isLoopback(remoteAddress) || remoteAddress === localAddress);
}

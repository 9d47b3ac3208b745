/**
 * TCP: accept, connect to the container, pipe both ways with half-close. A client that does not read fills its own two buffers and
 * stops its own sender only.
 */
import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { codeOf, type Forward, type ForwardOptions, type Target } from "./forward.js";
import { HOLDER } from "./limits.js";
import { isLoopback } from "./messages.js";
import type { Client, Group, Seats } from "./seats.js";

export class TcpForward implements Forward {
  readonly #seats: Seats;
  readonly #group: Group;
  readonly #log: (text: string) => void;
  readonly #server: Server;
  #target: Target;

  constructor({ target, seats, log }: ForwardOptions) {
    this.#target = target;
    this.#seats = seats;
    this.#group = seats.open();
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
        // Without descriptors to spare a connection is dropped; those there are go on.
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
    this.#seats.close(this.#group);
  }

  #serve(client: Socket): void {
    if (!fromHere(client) || !this.#seats.room(this.#group, false)) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const { ip, port } = this.#target;
    const container = tcpConnect({ host: ip, port, allowHalfOpen: true, noDelay: true });
    const both = [client, container];
    const seat: Client = {
      end: () => {
        this.#seats.remove(this.#group, seat);
        for (const one of both) one.resetAndDestroy();
      },
    };
    this.#seats.add(this.#group, seat);
    const late = setTimeout(seat.end, HOLDER.connectMs);
    for (const one of both) {
      one.on("error", seat.end);
      one.once("close", () => {
        clearTimeout(late);
        if (both.every(({ closed, destroyed }) => closed || destroyed)) this.#seats.remove(this.#group, seat);
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
 * True for a connection the machine has with itself. What comes over a wire or a bridge goes by the firewall's rules alone: a forwarder
 * that served it would lead around isolation.
 */
function fromHere({ remoteAddress, localAddress }: Socket): boolean {
  return remoteAddress !== undefined && (isLoopback(remoteAddress) || remoteAddress === localAddress);
}

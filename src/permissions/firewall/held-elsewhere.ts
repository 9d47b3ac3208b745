/** The host's ports that a platform's own process binds for its containers, so that the port holder does not. */
import type { Protocol, PublishSpec } from "./rule.js";

/** A port of the host, as the platform binds it. */
export interface PlatformPort {
  readonly protocol: Protocol;
  /** An address of the host; "": every one. */
  readonly hostIP: string;
  readonly hostPort: number;
}

export class HeldElsewhere {
  readonly #ports = new Map<string, readonly PlatformPort[]>();

  /** Sets the ports that a platform binds for an endpoint; none: forgets it. */
  set(key: string, ports: readonly PlatformPort[]): void {
    if (ports.length === 0) this.#ports.delete(key);
    else this.#ports.set(key, ports);
  }

  /** Returns true if a platform binds the port that a plugin publishes. */
  has({ protocol, hostIP = "", hostPort }: PublishSpec): boolean {
    for (const ports of this.#ports.values())
      for (const one of ports)
        if (one.protocol === protocol && one.hostPort === hostPort && (one.hostIP === "" || one.hostIP === hostIP))
          return true;
    return false;
  }
}

/**
 * The held ports. A port published at every address binds the wildcard addresses of both families, as docker-proxy does; the other
 * family's is given up when a port of that family is published.
 */
import { isIPv6 } from "node:net";
import { codeOf, type Forward, type Target } from "./forward.js";
import { type HeldPort, heldKey, loopback, wildcard } from "./messages.js";

/** Why a port could not be held. */
export interface BindFailure {
  readonly code: string;
  /** The address that could not be bound. */
  readonly host: string;
}

interface Bound {
  readonly forward: Forward;
  readonly protocol: HeldPort["protocol"];
  readonly host: string;
  readonly port: number;
  /** Key of the held port that it serves. */
  owner: string;
  standIn: boolean;
}

/** Codes for a family that the machine does not have: it needs no socket. */
const NO_FAMILY: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT", "EINVAL"];

export class HoldTable {
  readonly #create: (protocol: HeldPort["protocol"], target: Target) => Forward;
  readonly #held = new Map<string, HeldPort>();
  #bound: readonly Bound[] = [];

  /** `create`: returns an unbound forwarder. */
  constructor(create: (protocol: HeldPort["protocol"], target: Target) => Forward) {
    this.#create = create;
  }

  /** Holds a port. If its address is bound already, keeps the socket and changes the target. One call at a time. */
  async hold(held: HeldPort): Promise<BindFailure | undefined> {
    const key = heldKey(held);
    if (this.#held.has(key)) return undefined;
    const failure = await this.#bindOwn(key, held);
    if (failure) {
      await this.#standIns();
      return failure;
    }
    this.#held.set(key, held);
    const other = await this.#bindOther(key, held);
    if (other?.code !== "EADDRINUSE") return undefined;
    await this.release(held);
    return other;
  }

  async release(held: HeldPort): Promise<void> {
    const key = heldKey(held);
    if (!this.#held.delete(key)) return;
    for (const one of this.#bound.filter(({ owner }) => owner === key)) this.#unbind(one);
    await this.#standIns();
  }

  /** Binds the address that the port names, or the wildcard of its own family. */
  async #bindOwn(key: string, held: HeldPort): Promise<BindFailure | undefined> {
    const six = isIPv6(held.ip);
    const host = held.aside === undefined ? (held.hostIP ?? wildcard(six)) : loopback(six);
    const rivals = this.#rivals(held, isIPv6(host));
    const same = rivals.find((one) => one.host === host);
    if (same) {
      same.forward.retarget(held);
      Object.assign(same, { owner: key, standIn: false });
      return undefined;
    }
    for (const one of rivals) if (one.standIn) this.#unbind(one);
    return this.#bind(key, held, host, false);
  }

  /** Binds the same in the other family, unless a port of that family is published. */
  async #bindOther(key: string, held: HeldPort): Promise<BindFailure | undefined> {
    const six = !isIPv6(held.ip);
    if (held.hostIP !== undefined || this.#rivals(held, six).length > 0) return undefined;
    const failure = await this.#bind(key, held, held.aside === undefined ? wildcard(six) : loopback(six), true);
    return failure && NO_FAMILY.includes(failure.code) ? undefined : failure;
  }

  /** Binds missing wildcards of other families. */
  async #standIns(): Promise<void> {
    for (const [key, held] of this.#held) await this.#bindOther(key, held);
  }

  async #bind(key: string, held: HeldPort, host: string, standIn: boolean): Promise<BindFailure | undefined> {
    const { protocol } = held;
    const port = portOf(held);
    const forward = this.#create(protocol, held);
    try {
      await forward.bind(host, port);
    } catch (error) {
      forward.close();
      return { code: codeOf(error), host };
    }
    this.#bound = [...this.#bound, { forward, protocol, host, port, owner: key, standIn }];
    return undefined;
  }

  #unbind(bound: Bound): void {
    bound.forward.close();
    this.#bound = this.#bound.filter((one) => one !== bound);
  }

  /** Returns what is bound for this protocol and port in a family. */
  #rivals(held: HeldPort, six: boolean): readonly Bound[] {
    const [{ protocol }, port] = [held, portOf(held)];
    return this.#bound.filter((one) => one.protocol === protocol && one.port === port && isIPv6(one.host) === six);
  }
}

/** Returns the port that is bound. */
function portOf({ hostPort, aside }: HeldPort): number {
  return aside ?? hostPort;
}

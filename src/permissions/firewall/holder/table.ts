/**
 * The ports held. A published port of every address takes the wildcards of both families, as docker-proxy does: the other family's
 * stands in for it until a port of that family is published.
 */
import { isIPv6 } from "node:net";
import { codeOf, type Forward, type Target } from "./forward.js";
import { type HeldPort, heldKey, wildcard } from "./messages.js";

/** Why a port is not held. */
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
  /** Key of the held port it is for. */
  owner: string;
  standIn: boolean;
}

/** A family that the machine does not have needs no socket. */
const NO_FAMILY: readonly string[] = ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT", "EINVAL"];

export class HoldTable {
  readonly #create: (protocol: HeldPort["protocol"], target: Target) => Forward;
  readonly #held = new Map<string, HeldPort>();
  #bound: readonly Bound[] = [];

  /** `create`: an unbound forwarder. */
  constructor(create: (protocol: HeldPort["protocol"], target: Target) => Forward) {
    this.#create = create;
  }

  /** Holds a port; the same again, and the same address for another target, keep their socket. One call at a time. */
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

  /** The address it names, or the wildcard of its own family. */
  async #bindOwn(key: string, held: HeldPort): Promise<BindFailure | undefined> {
    const host = held.hostIP ?? wildcard(isIPv6(held.ip));
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

  /** The wildcard of the other family, where nothing of that family is published on the port. */
  async #bindOther(key: string, held: HeldPort): Promise<BindFailure | undefined> {
    const six = !isIPv6(held.ip);
    if (held.hostIP !== undefined || this.#rivals(held, six).length > 0) return undefined;
    const failure = await this.#bind(key, held, wildcard(six), true);
    return failure && NO_FAMILY.includes(failure.code) ? undefined : failure;
  }

  /** Puts stand-ins where one is missing. */
  async #standIns(): Promise<void> {
    for (const [key, held] of this.#held) await this.#bindOther(key, held);
  }

  async #bind(key: string, held: HeldPort, host: string, standIn: boolean): Promise<BindFailure | undefined> {
    const { protocol, hostPort: port } = held;
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

  /** What is bound of this protocol and port in a family. */
  #rivals({ protocol, hostPort }: HeldPort, six: boolean): readonly Bound[] {
    return this.#bound.filter((one) => one.protocol === protocol && one.port === hostPort && isIPv6(one.host) === six);
  }
}

/** One rule's test of a driver: a host of its own, new ids, and the author's options. */
import { createHash } from "node:crypto";
import { EndpointConfig } from "../driverapi/endpoint-config.js";
import type { InterfaceRecord } from "../driverapi/interfaces.js";
import { JoinConfig } from "../driverapi/join-config.js";
import type { JsonObject } from "../driverapi/json.js";
import type { CallOptions, HostedDriver, InterfaceData } from "../driverapi/types.js";
import type { TestHost } from "./test-host.js";

/** The author's options for networks and endpoints. */
export interface TrialOptions {
  /** Options of `createNetwork`; `n` counts a rule's networks from 0, for drivers that need a subnet for each. */
  readonly network?: JsonObject | ((n: number) => JsonObject);
  /** Options of `createEndpoint`. */
  readonly endpoint?: JsonObject;
  /** Options of `join`. */
  readonly join?: JsonObject;
  /** Options of `programExternalConnectivity`. Default: no published ports. */
  readonly external?: JsonObject;
  /**
   * Interfaces that a platform could give to an endpoint of the rule's first network. Default: those that the driver filled in for
   * an endpoint deleted before, or one with an address of 10.99.0.0/24 if it fills in none.
   */
  readonly given?: readonly InterfaceRecord[];
  /** Repetitions in rules about leaks. Default: 300, more than a /24 has addresses. */
  readonly rounds?: number;
}

/** The options' names. */
export const TRIAL_OPTIONS: readonly (keyof TrialOptions)[] = [
  "network",
  "endpoint",
  "join",
  "external",
  "given",
  "rounds",
];

/** A network that a trial uses. */
export interface TrialNetwork {
  readonly nid: string;
  readonly options: JsonObject;
}

/** An endpoint that a trial made. */
export interface TrialEndpoint {
  readonly nid: string;
  readonly eid: string;
  readonly config: EndpointConfig;
}

const FALLBACK: readonly InterfaceRecord[] = [{ id: 0, mac: "02:42:0a:63:00:0a", ipv4: "10.99.0.10/24" }];

export class Trial {
  readonly host: TestHost;
  readonly driver: HostedDriver;
  readonly rounds: number;
  readonly #options: TrialOptions;
  #networks = 0;
  #endpoints = 0;

  constructor(host: TestHost, driver: HostedDriver, options: TrialOptions) {
    this.host = host;
    this.driver = driver;
    this.rounds = options.rounds ?? 300;
    this.#options = options;
  }

  /** Returns the id and options of another network, without creating it. */
  planNetwork(): TrialNetwork {
    const n = this.#networks++;
    const { network = {} } = this.#options;
    return { nid: dockerId(`network ${n}`), options: typeof network === "function" ? network(n) : network };
  }

  async createNetwork(plan: TrialNetwork = this.planNetwork(), call?: CallOptions): Promise<TrialNetwork> {
    await this.driver.createNetwork(plan.nid, plan.options, call);
    return plan;
  }

  /** Returns an unused endpoint id. */
  planEndpoint(): string {
    return dockerId(`endpoint ${this.#endpoints++}`);
  }

  /** Creates an endpoint with the interfaces `given`; without any, the driver fills them in. */
  async createEndpoint(
    nid: string,
    given: Iterable<InterfaceRecord> = [],
    eid: string = this.planEndpoint(),
    call?: CallOptions,
  ): Promise<TrialEndpoint> {
    const config = new EndpointConfig(given);
    await this.driver.createEndpoint(nid, eid, config, this.#options.endpoint ?? {}, call);
    return { nid, eid, config };
  }

  async join({ nid, eid, config }: TrialEndpoint, call?: CallOptions): Promise<JoinConfig> {
    const joined = new JoinConfig(config);
    await this.driver.join(nid, eid, sandboxKey(eid), joined, this.#options.join ?? {}, call);
    return joined;
  }

  /** True for a driver with the methods of external connectivity; the rules about them apply only to it. */
  get external(): boolean {
    return this.host.host.plugins()[0]?.external.includes(this.driver.type()) === true;
  }

  program({ nid, eid }: TrialEndpoint): Promise<void> {
    return this.driver.programExternalConnectivity(nid, eid, this.#options.external ?? {});
  }

  /** Returns interfaces that a platform could give to an endpoint of this network. */
  async given(nid: string): Promise<readonly InterfaceRecord[]> {
    if (this.#options.given) return this.#options.given;
    const model = await this.createEndpoint(nid);
    await this.driver.deleteEndpoint(nid, model.eid);
    const filled: readonly InterfaceData[] = model.config.toJSON();
    return filled.length > 0 ? filled : FALLBACK;
  }
}

/** Returns the path of a sandbox, which does not exist. */
export function sandboxKey(eid: string): string {
  return `/var/run/docker/netns/${eid.slice(0, 12)}`;
}

/** Returns an id as Docker makes them: 64 hexadecimal digits, derived from `words`. */
export function dockerId(words: string): string {
  return createHash("sha256").update(words).digest("hex");
}

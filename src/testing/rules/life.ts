/** One network's life in steps, and the checks between them. */
import type { JoinConfig } from "../../driverapi/join-config.js";
import { expect, expectEqual, outcome, told } from "../expect.js";
import type { Trial, TrialEndpoint, TrialNetwork } from "../trial.js";

/** The calls of a life, in order. */
export const LIFE = [
  "createNetwork",
  "createEndpoint",
  "endpointOperInfo",
  "join",
  "leave",
  "deleteEndpoint",
  "deleteNetwork",
] as const;

export type LifeStep = (typeof LIFE)[number];

export class Life {
  readonly #trial: Trial;
  readonly #network: TrialNetwork;
  readonly #eid: string;
  #endpoint: TrialEndpoint | undefined;

  /** Links that existed before. */
  readonly #links: readonly string[];

  private constructor(trial: Trial, links: readonly string[]) {
    this.#trial = trial;
    this.#network = trial.planNetwork();
    this.#eid = trial.planEndpoint();
    this.#links = links;
  }

  /** Creates a life that has not begun. */
  static async of(trial: Trial): Promise<Life> {
    return new Life(trial, await trial.host.links());
  }

  /** Runs several steps. */
  async steps(steps: readonly LifeStep[]): Promise<void> {
    for (const step of steps) await this.step(step);
  }

  async step(step: LifeStep, call: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { driver } = this.#trial;
    const { nid } = this.#network;
    const eid = this.#eid;
    switch (step) {
      case "createNetwork":
        await this.#trial.createNetwork(this.#network, call);
        return;
      case "createEndpoint":
        this.#endpoint = await this.#trial.createEndpoint(nid, [], eid, call);
        return;
      case "endpointOperInfo": {
        const info = await driver.endpointOperInfo(nid, eid, call);
        expect(typeof info === "object" && info !== null, "endpointOperInfo does not return an object");
        return;
      }
      case "join":
        this.#checkJoin(await this.#trial.join(this.#made(), call));
        return;
      case "leave":
        return driver.leave(nid, eid, call);
      case "deleteEndpoint":
        return driver.deleteEndpoint(nid, eid, call);
      case "deleteNetwork":
        return driver.deleteNetwork(nid, call);
    }
  }

  /** Repeats a step whose outcome is unknown: it must succeed, except that a delete may find nothing. */
  async retry(step: LifeStep): Promise<void> {
    const error = await outcome(this.step(step));
    if (error === undefined) return;
    const gone = step.startsWith("delete") || step === "leave";
    const done = gone && (error.kind === "NotFound" || error.code === "ERR_ENDPOINT_NOT_JOINED");
    expect(done, `${step}, made again, rejects with ${told(error)}`);
  }

  /** Runs the rest of the life, and the whole life again with the same ids: neither may leave anything behind. */
  async end(rest: readonly LifeStep[]): Promise<void> {
    await this.steps(rest);
    const before = this.#endpoint?.config.toJSON();
    await this.steps(LIFE);
    expectEqual(this.#endpoint?.config.toJSON().length, before?.length, "interfaces of the same endpoint, made again");
    expectEqual(await this.#trial.host.links(), this.#links, "links that are left");
  }

  #made(): TrialEndpoint {
    expect(this.#endpoint !== undefined, "the life has no endpoint yet");
    return this.#endpoint;
  }

  #checkJoin(joined: JoinConfig): void {
    const ids = this.#made()
      .config.interfaces()
      .map((one) => one.id());
    for (const { id } of joined.toJSON().names)
      expect(ids.includes(id), `join names interface ${id}, which is not there`);
  }
}

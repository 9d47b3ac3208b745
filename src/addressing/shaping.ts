/** Rate, delay and loss of endpoints: the options that ask for them, and the `traffic` permission that carries them out. */
import { quote } from "../common/quote.js";
import { fail } from "../driverapi/fail.js";
import type { Json, JsonObject } from "../driverapi/json.js";
import type { TrafficPower } from "../permissions/powers.js";
import type { TrafficShape } from "../permissions/traffic/shape.js";
import { genericOptions } from "./subnet-options.js";

/** The shape options of a network and of an endpoint; a network's are the defaults of its endpoints. */
export const SHAPE_OPTIONS: readonly (keyof TrafficShape)[] = ["rate", "burst", "delay", "jitter", "loss"];

/** The value by which an endpoint removes an option of its network. */
const NONE = "none";

/** Kinds of errors by the rule that refuses; all other rules are bounds of the grant, and Forbidden. */
const KINDS: ReadonlyMap<string, "BadRequest" | "NotImplemented"> = new Map([
  ["amount", "BadRequest"],
  ["burst", "BadRequest"],
  ["kernel", "NotImplemented"],
]);

/** Reads the shape among a network's options. Throws BadRequest. */
export function readNetworkShape(options: JsonObject): TrafficShape {
  return readShape(genericOptions(options), {});
}

/** Reads an endpoint's shape: its own options, as the engine's `--driver-opt` gives them, before its network's. Throws BadRequest. */
export function readEndpointShape(options: JsonObject, network: TrafficShape): TrafficShape {
  return readShape(options, readShape(genericOptions(options), network));
}

function readShape(options: JsonObject, before: TrafficShape): TrafficShape {
  const shape: { -readonly [F in keyof TrafficShape]?: string } = { ...before };
  for (const key of SHAPE_OPTIONS) {
    const value: Json | undefined = Object.hasOwn(options, key) ? options[key] : undefined;
    if (value === undefined || value === null || value === "") continue;
    if (typeof value !== "string")
      fail("BadRequest", `option ${key} ${quote(value)} must be a string, such as "20mbit"`);
    if (value === NONE) delete shape[key];
    else shape[key] = value;
  }
  return shape;
}

export class Shaping {
  readonly #traffic: TrafficPower | undefined;

  constructor(traffic: TrafficPower | undefined) {
    this.#traffic = traffic;
  }

  /** Throws for a shape that could not be set: BadRequest, Forbidden, or NotImplemented if the kernel lacks what it needs. */
  async check(shape: TrafficShape): Promise<void> {
    await this.#ask(shape, (traffic) => traffic.check(shape));
  }

  /** Shapes an endpoint's link; throws as `check` does. A shape that an operator has changed stays. */
  async apply(link: string, shape: TrafficShape): Promise<void> {
    await this.#ask(shape, (traffic) => traffic.shape(link, shape));
  }

  /** Returns the shape of a link that is in force, an operator's changes included. */
  async inForce(link: string): Promise<TrafficShape | undefined> {
    const found = (await this.#traffic?.shapes())?.find((one) => one.link === link);
    if (found === undefined) return undefined;
    const { link: _, byOperator: __, ...shape } = found;
    return shape;
  }

  async #ask(shape: TrafficShape, request: (traffic: TrafficPower) => Promise<void>): Promise<void> {
    const [option] = Object.keys(shape);
    if (option === undefined) return;
    if (!this.#traffic)
      fail("BadRequest", `option ${option} needs the traffic permission, which this plugin is not granted`);
    try {
      await request(this.#traffic);
    } catch (error) {
      explain(error);
    }
  }
}

/** Rethrows an error; a refusal of `traffic` gets a message that names this driver's option. */
function explain(error: unknown): never {
  const message = error instanceof Error ? error.message : "";
  const [, rule = "", why = ""] = /^traffic\.\w+ is refused by rule "([a-z]+)": (.*)$/.exec(message) ?? [];
  if (why === "") throw error;
  return fail(KINDS.get(rule) ?? "Forbidden", `option ${why}`);
}

/** Reads a network's options and the driver's configuration. */
import { fail, type Json, type JsonObject, quote, type TrafficShape } from "bulkhead/plugin";
import {
  genericOptions,
  readNetworkShape,
  readSubnets,
  SHAPE_OPTIONS,
  SUBNET_KEYS,
  type Subnet,
} from "bulkhead/plugin/addressing";
import { AllowList, entriesOf } from "./allow-list.ts";
import { RCODE, type Rcode } from "./message.ts";

/** The driver's configuration. */
export interface Config {
  /** In bytes. */
  readonly mtu: number | undefined;
  /** Lists that networks name with the option `lists`. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** A network as its options ask for it. */
export interface NetworkOptions {
  readonly subnets: readonly Subnet[];
  /** In bytes. Undefined: as configured. */
  readonly mtu: number | undefined;
  readonly list: AllowList;
  /** The default shape of its endpoints. */
  readonly shape: TrafficShape;
  /** The code of an answer that refuses a name. */
  readonly refuse: Rcode;
  /** Writes refusals to the log. */
  readonly log: boolean;
}

const DOCKER_MTU = "com.docker.network.driver.mtu";
const INTERNAL = "com.docker.network.internal";

/** A network's options of its own; README has the same table. */
const OPTIONS = ["allow", "lists", "refuse", "log"] as const;
const KEYS: readonly string[] = [...OPTIONS, ...SUBNET_KEYS, "mtu", DOCKER_MTU, ...SHAPE_OPTIONS];

/** Reads the options of `createNetwork`. Throws BadRequest. */
export function readNetworkOptions(options: JsonObject, config: Config): NetworkOptions {
  const generic = genericOptions(options);
  for (const key of Object.keys(generic))
    if (!KEYS.includes(key)) fail("BadRequest", `unknown option ${quote(key)}; there are ${KEYS.join(", ")}`);
  if (options[INTERNAL] === true || options[INTERNAL] === "true")
    fail("BadRequest", "leave out --internal: without allow, nothing is reached from this network");
  const named = entriesOf("lists", generic.lists).flatMap(
    (name) =>
      config.lists.get(name) ??
      fail("BadRequest", `list ${quote(name)} does not exist; the driver's options have ${namesOf(config)}`),
  );
  return {
    subnets: readSubnets(options),
    mtu: readMtu("mtu", generic.mtu) ?? readMtu(DOCKER_MTU, generic[DOCKER_MTU] ?? options[DOCKER_MTU]),
    list: new AllowList([...entriesOf("allow", generic.allow), ...named]),
    shape: readNetworkShape(options),
    refuse: choose("refuse", generic.refuse, { nxdomain: RCODE.absent, refused: RCODE.refused }),
    log: choose("log", generic.log, { none: false, refused: true }),
  };
}

/** Reads the driver's configuration, `{ mtu, lists: { name: ["api.example.com:443"] } }`. Throws BadRequest. */
export function readConfig(options: JsonObject): Config {
  const given = { ...options, ...genericOptions(options) };
  const lists = given.lists ?? {};
  if (typeof lists !== "object" || Array.isArray(lists))
    fail("BadRequest", `option lists must be an object of lists by name, not ${quote(lists)}`);
  const read = Object.entries(lists as JsonObject).map(([name, value]) => {
    const entries = entriesOf(`lists.${name}`, value);
    // Reports what is wrong when the plugin is loaded, not when a network is created.
    new AllowList(entries);
    return [name, entries] as const;
  });
  return { mtu: readMtu("mtu", given.mtu), lists: new Map(read) };
}

function namesOf({ lists }: Config): string {
  return lists.size === 0 ? "no lists" : [...lists.keys()].join(", ");
}

/** Returns the value that a word stands for; the first one without a word. */
function choose<T>(key: string, value: Json | undefined, words: Readonly<Record<string, T>>): T {
  const names = Object.keys(words);
  const word = value === undefined || value === null || value === "" ? names[0] : value;
  if (typeof word === "string" && names.includes(word)) return words[word] as T;
  return fail("BadRequest", `option ${key} can be ${names.join(" or ")}, not ${quote(value ?? null)}`);
}

/** The bounds of the `netlink` permission, in bytes. */
const MTU = { least: 68, most: 9216 } as const;

/** Reads a number, also as text: Docker's labels are text. */
function readMtu(key: string, value: Json | undefined): number | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === "0") return undefined;
  const mtu = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof mtu === "number" && Number.isInteger(mtu) && mtu >= MTU.least && mtu <= MTU.most) return mtu;
  return fail(
    "BadRequest",
    `invalid MTU: ${key} ${quote(value)} must be a whole number from ${MTU.least} to ${MTU.most}`,
  );
}

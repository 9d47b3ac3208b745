/** Both backends of traffic control, each with a netlink of its own in a throwaway namespace. */
import { execFileSync } from "node:child_process";
import type { Json } from "#dist/driverapi/json.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import type { TrafficBackend } from "#dist/permissions/traffic/backend.js";
import { openTraffic } from "#dist/permissions/traffic/choose.js";
import { type TrafficLimits, trafficDefaults } from "#dist/permissions/traffic/grant.js";
import { createTrafficHub, type TrafficHub, type TrafficHubOptions } from "#dist/permissions/traffic/hub.js";
import { ifbOf, type TrafficRow } from "#dist/permissions/traffic/ledger.js";
import type { ModelTraffic } from "#dist/permissions/traffic/model/model-traffic.js";
import { SHAPE_FIELDS, type ShapeField } from "#dist/permissions/traffic/shape.js";
import type { Needs, TestContext } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { type Asked, type Bench, bench, noKernel } from "../netlink/backends.js";

const missing: ReadonlyMap<ShapeField, string> =
  noKernel === undefined ? await openTraffic("kernel", undefined).missing(SHAPE_FIELDS) : new Map();

/** Why rates, or delay and loss, cannot be tested on this kernel. */
export const noRate: Needs = noKernel ?? lackOf("rate");
export const noNetem: Needs = noKernel ?? lackOf("delay");
/** Why the answer of a kernel without netem cannot be tested. */
export const netem: Needs = noRate ?? (noNetem === undefined ? { kernel: "this kernel has netem" } : undefined);

function lackOf(field: ShapeField): Needs {
  const why = missing.get(field);
  return why === undefined ? undefined : { kernel: why };
}

/** A namespace with traffic control in it, and a plugin's way to both. */
export interface TrafficBench extends Bench {
  readonly traffic: TrafficHub;
  /** `powers.traffic` of plugin "bridge". */
  readonly shape: Asked;
  /** Another plugin's, or with other limits. */
  openTraffic(plugin: string, limits?: Partial<TrafficLimits>): Asked;
  /** How a link is shaped, as a text; "" if it is not. */
  shaped(link: string): Promise<string>;
  /** Another program removes a link's shape. */
  strip(link: string, what?: "root" | "ingress"): void;
}

export async function trafficBench(
  t: TestContext,
  kind: "kernel" | "model",
  limits: Partial<TrafficLimits> = {},
  options: Partial<TrafficHubOptions> = {},
): Promise<TrafficBench> {
  const links = await bench(t, kind);
  const { netns, hub } = links;
  const ledger = options.ledger ?? new MemoryLedger<TrafficRow>();
  const use = options.use ?? openTraffic(kind, netns);
  const traffic = createTrafficHub({ netlink: hub, netns, logger: SILENT, ...options, ledger, use });
  t.cleanup(() => traffic.close());
  const open: TrafficBench["openTraffic"] = (plugin, more = {}) => {
    const power = traffic.open(plugin, { ...trafficDefaults, ...limits, ...more });
    return async (method, ...args) => {
      const serve = power.methods?.get(`traffic.${method}`);
      if (!serve) throw new Error(`there is no traffic.${method}`);
      return (await serve(args)) as Json;
    };
  };
  return {
    ...links,
    traffic,
    shape: open("bridge"),
    openTraffic: open,
    async shaped(link) {
      const text = (await use.listing([{ link, ifb: ifbOf(ledger.id, link) }])).get(link) ?? "";
      return text
        .split("\n")
        .filter((line) => !/^qdisc (noqueue|pfifo_fast|fq_codel) /.test(line))
        .join("\n");
    },
    strip(link, what = "root") {
      if (kind === "kernel") tc(netns, "qdisc", "delete", "dev", link, what);
      else (use as ModelTraffic).strip(link);
    },
  };
}

/** A backend whose kernel lacks what these fields need. */
export function lacking(backend: TrafficBackend, fields: readonly ShapeField[]): TrafficBackend {
  const why = new Map(fields.map((field) => [field, "this kernel lacks sch_netem (injected)"] as const));
  const lacks = async (asked: readonly ShapeField[]): Promise<ReadonlyMap<ShapeField, string>> =>
    new Map([...why].filter(([field]) => asked.includes(field)));
  return replaced(backend, { missing: lacks });
}

/** A backend with some methods replaced. */
export function replaced(backend: TrafficBackend, by: Partial<TrafficBackend>): TrafficBackend {
  return {
    kind: backend.kind,
    missing: (fields) => backend.missing(fields),
    apply: (all) => backend.apply(all),
    remove: (all) => backend.remove(all),
    listing: (all) => backend.listing(all),
    watch: (events) => backend.watch(events),
    ...by,
  };
}

/** Runs tc in a namespace; gives what it printed. */
export function tc(netns: string, ...args: string[]): string {
  return execFileSync("tc", ["-n", netns, ...args], { encoding: "utf8", stdio: "pipe" });
}

/** The names of a namespace's links. */
export async function linkNames({ backend }: Bench): Promise<readonly string[]> {
  return [...(await backend.look()).links.keys()].sort();
}

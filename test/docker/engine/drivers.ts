/** The test's own drivers. They make no links, and so need no grant: what they are for is what a driver is told, and what it does wrong. */
import { plugin } from "../../kit/plugins.js";

/** A MAC address that no engine would derive. */
export const OWN_MAC = "02:bb:00:00:00:07";

/**
 * `odd`: by a network's option, `-o DEED=METHOD`, a method tells what it was given (as an error: that is what an engine shows), fails,
 * hangs (blocks its worker without end) or forgets (never answers); these two only once for each network, so that one sees who works
 * afterwards.
 */
const ODD = `
export async function init(callback, { store }) {
  const networks = new Map();
  async function act(nid, method, told, options, ctx) {
    const { tell, fail, hang, forget } = networks.get(nid) ?? {};
    if (ctx?.replay) return;
    if (tell === method) throw new Error(JSON.stringify(told));
    if (fail === method) throw new Error(method + " fails as it was told to");
    if (hang !== method && forget !== method) return;
    const key = nid.slice(0, 12) + method;
    if (await store.get(key)) return;
    await store.set(key, true);
    if (forget === method) return new Promise(() => {});
    for (;;);
  }
  await callback.registerDriver("odd", {
    type: () => "odd",
    config() {},
    async createNetwork(nid, options, ctx) {
      networks.set(nid, options["com.docker.network.generic"] ?? {});
      try {
        await act(nid, "createNetwork", options, options, ctx);
      } catch (error) {
        networks.delete(nid);
        throw error;
      }
    },
    async deleteNetwork(nid) {
      await act(nid, "deleteNetwork");
      networks.delete(nid);
    },
    async createEndpoint(nid, eid, info, options, ctx) {
      const given = info.interfaces().map((one) => [one.macAddress(), one.address(), one.addressIPv6()]);
      await act(nid, "createEndpoint", { given, options }, options, ctx);
      if (given.length === 0) info.addInterface(0, "${OWN_MAC}", "", "");
    },
    async deleteEndpoint(nid) { await act(nid, "deleteEndpoint"); },
    async endpointOperInfo(nid) { await act(nid, "endpointOperInfo"); return { odd: "yes" }; },
    async join(nid, eid, sandbox, info, options, ctx) { await act(nid, "join", { sandbox, options }, options, ctx); },
    async leave(nid) { await act(nid, "leave"); },
  }, { scope: "local" });
}
`;

/** The methods a request leads to, as an engine calls them in the life of a container. */
export const CALLED = [
  "createNetwork",
  "createEndpoint",
  "join",
  "endpointOperInfo",
  "leave",
  "deleteEndpoint",
  "deleteNetwork",
] as const;

/** A driver of its own for each method to hang in: who hangs again and again is put out of service. */
const HANGING = CALLED.map((method) => [`${hangType(method)}.js`, ODD.replaceAll('"odd"', `"${hangType(method)}"`)]);

/** The test's own drivers, by file; `hanging`: those that hang too, which start with every daemon. */
export function ownDrivers(hanging: boolean): Readonly<Record<string, string>> {
  return { "odd.js": ODD, ...(hanging ? Object.fromEntries(HANGING) : {}) };
}

export function hangType(method: string): string {
  return `odd-${method.toLowerCase()}`;
}

/** Every type that is in service. */
export function servedTypes(hanging: boolean): readonly string[] {
  return ["bridge", "macvlan", "odd", ...(hanging ? CALLED.map(hangType) : [])];
}

/** Drivers that hang before they are in service, in the two methods that no request leads to. */
export function hangingAtStart(method: "type" | "config"): string {
  return plugin(`late${method}`, { methods: `${method}() { for (;;); },` });
}

/** The shipped bridge driver's entry, with one thing more: `-o die=now` ends its worker by a stray rejection. */
export const MORTAL_BRIDGE = `
import { LocalScope } from "bulkhead/plugin";
import { createDriver, networkType } from "./driver.ts";

export async function init(callback, powers) {
  const driver = await createDriver(powers);
  const mortal = {
    ...driver,
    createNetwork(nid, options, ctx) {
      if (options["com.docker.network.generic"]?.die !== "now") return driver.createNetwork(nid, options, ctx);
      Promise.reject(new Error("it dies as it was told to"));
      return new Promise(() => {});
    },
  };
  await callback.registerDriver(networkType, mortal, { scope: LocalScope });
}
`;

/** A driver that keeps every rule, as text; a fault is a piece of it replaced. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "../harness.js";

const REFERENCE = `
const fail = (kind, message) => { throw Object.assign(new Error(message), { kind }); };

export async function init(callback, powers) {
  const networks = new Map();
  let made = 0;
  const published = new Map();
  const network = (nid) => networks.get(nid) ?? fail("NotFound", "unknown network");
  const endpoint = (nid, eid) => network(nid).endpoints.get(eid) ?? fail("NotFound", "unknown endpoint");
  const free = ({ taken }) => {
    for (let n = 2; n < 255; n++) if (!taken.has("10.99.0." + n + "/24")) return "10.99.0." + n + "/24";
    return fail("Forbidden", "no free address");
  };
  /* start */
  const driver = {
    type: () => "reference",
    config(options) { /* config */ },
    createNetwork(nid, options, ctx) {
      /* createNetwork */
      if (networks.has(nid)) fail("Forbidden", "network exists");
      networks.set(nid, { endpoints: new Map(), taken: new Set() });
      made++;
    },
    deleteNetwork(nid, ctx) {
      /* deleteNetwork */
      if (network(nid).endpoints.size > 0) fail("Forbidden", "network in use");
      networks.delete(nid);
    },
    createEndpoint(nid, eid, epInfo, options, ctx) {
      const { endpoints, taken } = network(nid);
      if (endpoints.has(eid)) fail("Forbidden", "endpoint exists");
      let [given] = epInfo.interfaces();
      /* createEndpoint */
      const address = given ? given.address() : free({ taken });
      if (!given) epInfo.addInterface(0, "", address, "");
      taken.add(address);
      endpoints.set(eid, { address, given: given !== undefined, sandbox: undefined, left: false });
    },
    deleteEndpoint(nid, eid, ctx) {
      /* deleteEndpoint */
      const { address } = endpoint(nid, eid);
      network(nid).taken.delete(address);
      network(nid).endpoints.delete(eid);
      published.delete(eid);
    },
    endpointOperInfo(nid, eid, ctx) {
      /* endpointOperInfo */
      return { address: endpoint(nid, eid).address };
    },
    join(nid, eid, sandbox, jinfo, options, ctx) {
      const one = endpoint(nid, eid);
      let gateway = "10.99.0.1";
      let source = "ref" + eid.slice(0, 8);
      /* join */
      one.sandbox = sandbox;
      for (const name of jinfo.interfaceNames()) name.setNames(source, "eth");
      jinfo.setGateway(gateway);
    },
    leave(nid, eid, ctx) {
      /* leave */
      const one = endpoint(nid, eid);
      one.sandbox = undefined;
      one.left = true;
    },
    programExternalConnectivity(nid, eid, options, ctx) {
      const one = endpoint(nid, eid);
      /* program */
      published.set(eid, options);
    },
    revokeExternalConnectivity(nid, eid, ctx) {
      endpoint(nid, eid);
      /* revoke */
      published.delete(eid);
    },
  };
  await callback.registerDriver("reference", driver, { scope: "local" });
}
`;

/** A piece of the reference and what takes its place; a piece `config` stands for the mark in that method. */
export type Fault = readonly [piece: string, instead: string];

/** The path of a plugin with some faults. */
export async function reference(t: TestContext, ...faults: readonly Fault[]): Promise<string> {
  let text = REFERENCE;
  for (const [piece, instead] of faults) {
    const from = text.includes(`/* ${piece} */`) ? `/* ${piece} */` : piece;
    if (!text.includes(from)) throw new Error(`the reference has no "${piece}"`);
    text = text.replace(from, () => instead);
  }
  const path = join(await t.folder(), "reference.js");
  await writeFile(path, text);
  return path;
}

/** `bulkhead networks` and `bulkhead inspect`: networks and endpoints as the host has recorded them. */
import type { ControlClient } from "../../control/client.js";
import { cell, columns } from "../../control/table/columns.js";
import type { Endpoint, Network } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Printer, safeJson } from "./output.js";

export async function networks(client: ControlClient, printer: Printer): Promise<void> {
  const { networks } = await client.ask("networks");
  printNetworks(printer, networks, "the host has no networks");
}

/** Prints networks as a table; `none` where there are none. */
export function printNetworks(printer: Printer, networks: readonly Network[], none: string): void {
  const rows = networks.map(({ id, type, plugin, phase, endpoints, failed, kills }) => [
    cell(id),
    cell(type),
    cell(plugin),
    cell(phase),
    cell(endpoints),
    cell(failed ? `${failed.code}${kills > 0 ? `, ended ${kills} workers` : ""}` : "-", failed ? "red" : "plain"),
  ]);
  const headings = ["NETWORK", "TYPE", "PLUGIN", "PHASE", "ENDPOINTS", "LOST"];
  printer.print(networks, networks.length === 0 ? none : columns(printer.coloured, headings, rows));
}

/** Shows a plugin, network or endpoint whose id is `name`, or a network or endpoint whose id alone begins with it. */
export async function inspect(client: ControlClient, printer: Printer, name: string): Promise<void> {
  const found = await find(client, name);
  printer.print([found], safeJson(found, 2));
}

/** Returns the id of the endpoint that has this id, or the only one whose id begins with it. Rejects with `ERR_USAGE`, `ERR_ENDPOINT_NOT_FOUND`. */
export async function endpointNamed(client: ControlClient, name: string): Promise<string> {
  const { endpoints } = await client.ask("endpoints");
  const ids = endpoints.map(({ id }) => id);
  const found = ids.includes(name) ? [name] : ids.filter((id) => id.startsWith(name));
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  const words = one
    ? `${found.length} endpoints begin with "${name}"; name more of the id`
    : `the host has no endpoint "${name}"; bulkhead inspect NETWORK lists a network's endpoints`;
  throw new DriverError(one ? "ERR_USAGE" : "ERR_ENDPOINT_NOT_FOUND", words);
}

async function find(client: ControlClient, name: string): Promise<object> {
  const [{ plugins }, { networks }, { endpoints }] = await Promise.all([
    client.ask("plugins"),
    client.ask("networks"),
    client.ask("endpoints"),
  ]);
  if (plugins.some(({ id }) => id === name)) return { kind: "plugin", ...(await client.ask("plugin", { id: name })) };
  const shown: readonly { readonly id: string; show(): object }[] = [
    ...networks.map((one) => ({ id: one.id, show: () => networkWith(one, endpoints) })),
    ...endpoints.map((one) => ({ id: one.id, show: () => ({ kind: "endpoint", ...one }) })),
  ];
  const exact = shown.filter(({ id }) => id === name);
  const found = exact.length > 0 ? exact : shown.filter(({ id }) => id.startsWith(name));
  const [one, ...others] = found;
  if (one && others.length === 0) return one.show();
  const words = one
    ? `${found.length} networks and endpoints begin with "${name}"; name more of the id`
    : `the host has no plugin, network or endpoint "${name}"; bulkhead ps and bulkhead networks list what there is`;
  throw new DriverError(one ? "ERR_USAGE" : "ERR_NETWORK_NOT_FOUND", words);
}

function networkWith(network: Network, endpoints: readonly Endpoint[]): object {
  const own = endpoints.filter((one) => one.network === network.id && one.type === network.type);
  return { kind: "network", ...network, endpoints: own };
}

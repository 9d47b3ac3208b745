/** The commands' common options: the plugins folders and the policy. */

import { nearest } from "../common/nearest.js";
import { quote } from "../common/quote.js";
import { shortList } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../host/discovery.js";

/** The options of commands that work on plugins folders. */
export interface Places {
  /** The plugins folders. */
  readonly plugins: readonly string[];
  /** The policy's file. */
  readonly policy: string;
  /** True if the user named the policy's file: it must exist, unless the command creates it. */
  readonly policyNamed: boolean;
}

/** Finds the plugin `id`. Throws its `error` if it has one, `ERR_PLUGIN_NOT_FOUND`, or `ERR_PLUGINS_DIR`. */
export async function findPlugin(id: string, places: Places): Promise<Discovered> {
  const found = await discoverPlugins(places.plugins);
  const plugin = found.find((one) => one.id === id);
  if (plugin?.error) throw plugin.error;
  if (plugin) return plugin;
  const ids = found.map((one) => one.id);
  throw notFound(`there is no plugin ${quote(id)} in ${places.plugins.join(", ")}`, id, ids);
}

/** Creates `ERR_PLUGIN_NOT_FOUND`, with the most similar id. */
export function notFound(what: string, id: string, ids: readonly string[]): DriverError {
  const near = nearest(id, ids);
  const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
  const list = ids.length === 0 || near !== undefined ? "" : `; there are: ${shortList(ids.map(plain), 20)}`;
  return new DriverError("ERR_PLUGIN_NOT_FOUND", `${what}${hint}${list}`, { plugin: id });
}

function plain(id: string): string {
  return /^[\w-]+$/.test(id) ? id : quote(id);
}

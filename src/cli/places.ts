/** What the commands' common options name: the plugins folders and the policy. */

import { existsSync } from "node:fs";
import { nearest } from "../common/nearest.js";
import { quote } from "../common/quote.js";
import { shortList } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../host/discovery.js";
import { DEFAULT_POLICY_FILE } from "../policy/grant-command.js";
import { DEFAULTS as DAEMON } from "./serve/settings.js";

/** The options that every command of a plugins folder takes. */
export interface Places {
  /** The plugins folders. */
  readonly plugins: readonly string[];
  /** The policy's file. */
  readonly policy: string;
  /** Whether the policy's file was named by the user, and so must exist where it is only read. */
  readonly policyNamed: boolean;
}

/** What a project has in its folder, and what the daemon has. */
const HERE: Readonly<Record<"plugins" | "policy" | "dataDir", string>> = {
  plugins: "./plugins",
  policy: `./${DEFAULT_POLICY_FILE}`,
  dataDir: "./data",
};

/** For `--help`. */
export const DEFAULT_WORDS: Readonly<Record<keyof typeof HERE, string>> = {
  plugins: wordsOf("plugins"),
  policy: wordsOf("policy"),
  dataDir: wordsOf("dataDir"),
};

function wordsOf(key: keyof typeof HERE): string {
  return `default: ${HERE[key]}; in a folder with neither plugins, policy nor data: ${DAEMON[key]}`;
}

/**
 * Where a command looks when nothing is named: in the working folder, or, where nothing of all that stands there, at what the daemon uses.
 * One choice for all: a project's plugin is not granted in the daemon's policy.
 */
export function defaultOf(key: keyof typeof HERE, exists: (path: string) => boolean = existsSync): string {
  const here = Object.values(HERE).some(exists);
  return !here && exists(DAEMON[key]) ? DAEMON[key] : HERE[key];
}

/** The plugin `id`. Throws its `error` if it has one, `ERR_PLUGIN_NOT_FOUND`, or `ERR_PLUGINS_DIR`. */
export async function findPlugin(id: string, places: Places): Promise<Discovered> {
  const found = await discoverPlugins(places.plugins);
  const plugin = found.find((one) => one.id === id);
  if (plugin?.error) throw plugin.error;
  if (plugin) return plugin;
  const ids = found.map((one) => one.id);
  throw notFound(`there is no plugin ${quote(id)} in ${places.plugins.join(", ")}`, id, ids);
}

/** `ERR_PLUGIN_NOT_FOUND`, with the nearest of the ids there are. */
export function notFound(what: string, id: string, ids: readonly string[]): DriverError {
  const near = nearest(id, ids);
  const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
  const list = ids.length === 0 || near !== undefined ? "" : `; there are: ${shortList(ids.map(plain), 20)}`;
  return new DriverError("ERR_PLUGIN_NOT_FOUND", `${what}${hint}${list}`, { plugin: id });
}

function plain(id: string): string {
  return /^[\w-]+$/.test(id) ? id : quote(id);
}

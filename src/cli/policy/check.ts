/** `bulkhead policy check [FILE]`: whether a policy is valid, and whether it fits the plugins that are there. */
import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../../host/discovery.js";
import { readPolicyFile } from "../../policy/policy-file.js";
import { type Policy, policyEntry } from "../../policy/schema.js";
import { idText, rowFor } from "../ls.js";
import { type Report, table } from "../output.js";
import type { Places } from "../places.js";

/** Something that is valid, and probably not meant. */
interface Note {
  readonly plugin: string;
  /** The key of the policy, such as `plugins.bridge.grant.store`. */
  readonly field: string;
  readonly message: string;
}

/** Checks the policy in `file`. Throws `ERR_POLICY_INVALID` with line and rule. */
export async function check(file: string, places: Places): Promise<Report> {
  const { policy } = await readPolicyFile(file);
  const { found, unread } = await pluginsIn(places.plugins);
  const rows = [];
  for (const plugin of found) {
    const { id, state, code, reason } = await rowFor(plugin, policy, { ...places, policy: file });
    rows.push({ id, state, code, reason });
  }
  const notes = [
    ...(unread === null ? unknownEntries(policy, found) : []),
    ...found.flatMap((plugin) => unused(policy, plugin)),
  ];
  const count = Object.keys(policy.plugins ?? {}).length;
  const lines = [
    `${file} is a valid policy with ${count} ${count === 1 ? "entry" : "entries"}`,
    ...(unread === null ? [] : [`only the policy itself was checked: ${unread}`]),
    ...(rows.length === 0
      ? []
      : [
          "",
          table(
            ["ID", "STATE"],
            rows.map((row) => [idText(row.id), row.state]),
          ),
        ]),
    ...(notes.length + rows.filter(({ reason }) => reason !== null).length === 0 ? [] : [""]),
    ...rows.flatMap(({ id, reason }) => (reason === null ? [] : [`${idText(id)}: ${reason}`])),
    ...notes.map(({ field, message }) => `${field}: ${message}`),
  ];
  return { data: { file, plugins: rows, notes, unread }, text: lines.join("\n") };
}

/** Finds the plugins; without their folder, a policy can still be checked. */
async function pluginsIn(
  folders: readonly string[],
): Promise<{ readonly found: readonly Discovered[]; readonly unread: string | null }> {
  try {
    return { found: await discoverPlugins(folders), unread: null };
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== "ERR_PLUGINS_DIR") throw error;
    return { found: [], unread: error.message };
  }
}

function unknownEntries(policy: Policy, found: readonly Discovered[]): readonly Note[] {
  const ids = found.map(({ id }) => id);
  return Object.keys(policy.plugins ?? {})
    .filter((id) => !ids.includes(id))
    .map((id) => {
      const near = nearest(id, ids);
      const hint = near === undefined ? "" : `; did you mean ${quote(near)}?`;
      return { plugin: id, field: `plugins.${id}`, message: `no plugin has that id${hint}` };
    });
}

/** Permissions that the policy grants and the manifest does not name. */
function unused(policy: Policy, { id, manifest }: Discovered): readonly Note[] {
  if (manifest?.permissions === undefined) return [];
  const asked = { ...manifest.permissions, ...manifest.optionalPermissions };
  const { scope: _, ...granted } = policyEntry(policy, id)?.grant ?? {};
  return Object.keys(granted)
    .filter((name) => !Object.hasOwn(asked, name))
    .map((name) => ({ plugin: id, field: `plugins.${id}.grant.${name}`, message: "its manifest does not ask for it" }));
}

/** `bulkhead policy diff [FILE]`: what each plugin could do more, less or no longer if a policy took the place of the one in force. */
import { isDeepStrictEqual } from "node:util";
import { escapeLine } from "../../common/escape.js";
import { ControlClient } from "../../control/client.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../../host/discovery.js";
import { type Difference, differences } from "../../policy/difference.js";
import { effectiveGrant } from "../../policy/effective.js";
import { parsePolicy } from "../../policy/parse-policy.js";
import { readPolicyFile } from "../../policy/policy-file.js";
import { type Policy, type PolicyEntry, policyEntry } from "../../policy/schema.js";
import { termsOf } from "../../policy/terms.js";
import type { HostPlace } from "../applied.js";
import { idText, rowFor } from "../ls.js";
import type { Report } from "../output.js";
import type { Places } from "../places.js";
import { type NewVersion, newVersion } from "./new-version.js";

/** What would change for one plugin. */
interface Change {
  readonly plugin: string;
  /** Its state under each policy, as `bulkhead ls` says it; null: no plugin has that id. */
  readonly before: string | null;
  readonly after: string | null;
  readonly more: readonly string[];
  readonly less: readonly string[];
  readonly gone: readonly string[];
  /** Other keys of its entry. */
  readonly other: readonly string[];
  /** Why it would not run. */
  readonly reason: string | null;
  /** What its changed files newly ask for and use; null: they are what the host runs, or no host runs the plugin. */
  readonly newVersion: NewVersion | null;
}

/** The policy that is compared with. */
interface Base {
  readonly policy: Policy;
  /** For people. */
  readonly name: string;
  readonly socket: string | null;
  /** Asks the running host. */
  readonly client?: ControlClient;
}

/**
 * Compares the policy in `file` with the one in force: the running host's, else the one that `places` names. Without `file`, compares
 * that one with the running host's. Throws `ERR_POLICY_INVALID`, `ERR_NO_DAEMON`.
 */
export async function diff(file: string | undefined, places: Places & HostPlace): Promise<Report> {
  const to = file ?? places.policy;
  const { policy } = await readPolicyFile(to);
  const base = await baseOf(file, places);
  const found = new Map((await discoverPlugins(places.plugins)).map((one) => [one.id, one]));
  const ids = [base.policy, policy].flatMap(({ plugins = {} }) => Object.keys(plugins));
  const changes: Change[] = [];
  for (const id of [...new Set([...found.keys(), ...ids])].sort()) {
    const plugin = found.get(id);
    const own = { ...places, policy: to };
    const brings = plugin && base.client ? await newVersion(plugin, policy, base.client) : undefined;
    const change = await changeOf(id, plugin, base.policy, policy, own, brings);
    if (change) changes.push(change);
  }
  const [before = "bubblewrap", after = "bubblewrap"] = [base.policy.sandbox, policy.sandbox];
  const sandbox = before === after ? null : { before, after };
  const lines = [
    `${to}, compared with ${base.name}:`,
    ...(sandbox ? [`the wall: sandbox "${before}" → "${after}", from the host's next start`] : []),
    ...changes.flatMap(changeLines),
    ...(sandbox || changes.length > 0 ? [] : ["nothing would change"]),
  ];
  return { data: { file: to, from: base.socket ?? places.policy, sandbox, plugins: changes }, text: lines.join("\n") };
}

async function baseOf(file: string | undefined, { policy, policyNamed, socket }: Places & HostPlace): Promise<Base> {
  try {
    const client = new ControlClient(socket);
    const { policy: held } = await client.ask("policy");
    return {
      policy: parsePolicy(held, "the running host's policy"),
      name: `the policy in force in the running host (${socket})`,
      socket,
      client,
    };
  } catch (error) {
    if (!(error instanceof DriverError && error.code === "ERR_NO_DAEMON")) throw error;
    if (file === undefined)
      throw new DriverError(
        "ERR_NO_DAEMON",
        `${error.message}; to compare two files: bulkhead policy diff NEW --policy OLD`,
      );
    const read = await readPolicyFile(policy, { absent: policyNamed ? "error" : "empty" });
    return { policy: read.policy, name: `${policy}${read.exists ? "" : " (which does not exist)"}`, socket: null };
  }
}

/** Returns undefined if nothing would change for the plugin. */
async function changeOf(
  id: string,
  plugin: Discovered | undefined,
  before: Policy,
  after: Policy,
  places: Places,
  brings: NewVersion | undefined,
): Promise<Change | undefined> {
  const [was, is] = [policyEntry(before, id), policyEntry(after, id)];
  if (plugin === undefined) {
    if (isDeepStrictEqual(was, is)) return undefined;
    const what = was === undefined ? "a new entry" : is === undefined ? "its entry is removed" : "its entry changes";
    const nothing = { more: [], less: [], gone: [], before: null, after: null };
    return { plugin: id, ...nothing, other: [what], reason: "no plugin has that id", newVersion: null };
  }
  const found = plugin.error ? [] : termDifferences(plugin, before, after);
  const other = otherKeys(was ?? {}, is ?? {});
  if (found.length + other.length === 0 && brings === undefined) return undefined;
  const [old, next] = [await rowFor(plugin, before, places), await rowFor(plugin, after, places)];
  const of = (way: Difference["way"]): readonly string[] =>
    found.filter((one) => one.way === way).map(({ text }) => text);
  return {
    ...{ plugin: id, before: old.state, after: next.state },
    ...{ more: of("more"), less: of("less"), gone: of("gone"), other, reason: next.reason },
    newVersion: brings ?? null,
  };
}

function termDifferences({ id, manifest }: Discovered, before: Policy, after: Policy): readonly Difference[] {
  const [was, is] = [before, after].map((policy) => termsOf(effectiveGrant({ id, manifest, policy })));
  return was && is ? differences(was, is) : [];
}

const OTHER = ["enabled", "sha256", "update", "takeTypes", "options"] as const satisfies readonly (keyof PolicyEntry)[];

function otherKeys(was: PolicyEntry, is: PolicyEntry): readonly string[] {
  return OTHER.filter((key) => !isDeepStrictEqual(was[key], is[key])).map(
    (key) => `${key} ${shown(was[key])} → ${shown(is[key])}`,
  );
}

function shown(value: unknown): string {
  return value === undefined ? "none" : JSON.stringify(value);
}

function changeLines({
  plugin,
  before,
  after,
  more,
  less,
  gone,
  other,
  reason,
  newVersion: brings,
}: Change): readonly string[] {
  const states = before === after ? (after ?? "unknown") : `${before} → ${after}`;
  const rows = [
    ["newly allowed", more],
    ["allowed less", less],
    ["no longer", gone],
    ["other", other],
    ["new version", brings === null ? [] : [`${brings.version ?? "without a number"}, sha256 ${brings.sha256}`]],
    ["newly asks", brings?.asks ?? []],
    ["newly uses", brings?.uses ?? []],
    ["then", reason === null ? [] : [reason]],
  ] as const;
  return [
    `${idText(plugin)}: ${states}`,
    ...rows.flatMap(([name, texts]) =>
      texts.map((text) => `  ${name.padEnd(13)}  ${escapeLine(text, Number.POSITIVE_INFINITY)}`),
    ),
  ];
}

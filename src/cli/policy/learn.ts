/** `bulkhead policy learn ID`: the smallest grant that covers what a plugin was seen to do, in service or in its own tests. */
import { escapeLine } from "../../common/escape.js";
import { ControlClient } from "../../control/client.js";
import type { LearnReply } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import type { JsonObject } from "../../driverapi/json.js";
import { discoverPlugins } from "../../host/discovery.js";
import { LEARNING } from "../../learning/limits.js";
import { propose } from "../../learning/propose.js";
import { readPolicyFile } from "../../policy/policy-file.js";
import type { HostPlace } from "../applied.js";
import type { Report } from "../output.js";
import type { Places } from "../places.js";
import { usageInTests } from "./learn-tests.js";

export interface LearnOptions {
  /** How long to watch the running plugin. */
  readonly seconds?: string | undefined;
  /** A test file, or the folder of the tests, to run instead. */
  readonly tests?: string | undefined;
}

/** Slack of a reply's deadline, in milliseconds. */
const SLACK_MS = 30_000;

/** Proposes a grant. Throws `ERR_USAGE`, `ERR_NO_DAEMON`, `ERR_PLUGIN_NOT_FOUND`, `ERR_CONTROL_BUSY`. */
export async function learn(
  id: string | undefined,
  { seconds, tests }: LearnOptions,
  places: Places & HostPlace,
): Promise<Report> {
  if (id === undefined) throw new DriverError("ERR_USAGE", "bulkhead policy learn takes a plugin's id");
  if (tests !== undefined && seconds !== undefined)
    throw new DriverError(
      "ERR_USAGE",
      "--seconds is for a running plugin and does not go with --tests; leave one of them out",
    );
  const learned = tests === undefined ? await watched(id, seconds, places) : await tested(id, tests, places);
  const { from, ...proposal } = learned;
  return { data: { ...proposal, from }, text: text(learned) };
}

/** What was learned, and where. */
type Learned = Omit<LearnReply, "seconds"> & { readonly from: string };

async function watched(id: string, given: string | undefined, { socket }: HostPlace): Promise<Learned> {
  const seconds = Number(given ?? LEARNING.seconds);
  if (!(seconds >= 0 && seconds <= LEARNING.maxSeconds))
    throw new DriverError("ERR_USAGE", `--seconds is a number from 0 to ${LEARNING.maxSeconds}`);
  const { seconds: _, ...reply } = await new ControlClient(socket).ask(
    "learn",
    { id, body: { seconds } },
    seconds * 1000 + SLACK_MS,
  );
  return { ...reply, from: `what it holds, and what it used in ${seconds} s of service` };
}

async function tested(id: string, tests: string, { plugins, policy, policyNamed }: Places): Promise<Learned> {
  const found = (await discoverPlugins(plugins)).find((one) => one.id === id);
  if (found === undefined)
    throw new DriverError("ERR_PLUGIN_NOT_FOUND", `no plugin "${escapeLine(id, 128)}" in ${plugins.join(", ")}`);
  if (found.error) throw found.error;
  const { usage, hosts } = await usageInTests(id, tests);
  const read = await readPolicyFile(policy, { absent: policyNamed ? "error" : "empty" });
  const { grant, ...rest } = propose(usage, { id, manifest: found.manifest, policy: read.policy });
  return {
    ...{ plugin: id, grant: grant as unknown as JsonObject, ...rest },
    from: `its tests, in which ${hosts} ${hosts === 1 ? "host" : "hosts"} ran it`,
  };
}

function text({ plugin, grant, kept, unused, differences, from }: Learned): string {
  const of = (way: LearnReply["differences"][number]["way"], title: string): readonly string[] =>
    differences.filter((one) => one.way === way).map((one) => `  ${title.padEnd(13)}  ${one.text}`);
  const changes = [...of("more", "newly allowed"), ...of("less", "allowed less"), ...of("gone", "no longer")];
  const note = (title: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`${title}: ${names.join(", ")}`];
  return [
    `the smallest grant of ${plugin}, from ${from}:`,
    "",
    ...JSON.stringify({ plugins: { [plugin]: { grant } } }, undefined, 2).split("\n"),
    "",
    changes.length === 0 ? "compared with its present grant: the same" : "compared with its present grant:",
    ...changes,
    ...note("not used, and left out", unused),
    ...note("no use seen, but kept as granted (the manifest requires it, or every plugin has it)", kept),
  ].join("\n");
}

/** Judges the requests of one batch, carries them out in one transaction, and replies to each. */
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import { recordedBytes } from "../ledger.js";
import type { NamespaceView } from "../netlink/backend.js";
import type { NetlinkHub } from "../netlink/hub.js";
import { type Job, NO_ROOM } from "../request-queue.js";
import { type AllowedAddresses, isTimed, type TimedRule } from "./allowed.js";
import type { FirewallBackend } from "./backend.js";
import { failed, refused } from "./errors.js";
import type { HeldElsewhere } from "./held-elsewhere.js";
import type { FirewallChange, FirewallRow } from "./ledger.js";
import type { AskedRule } from "./next-batch.js";
import type { RefusedFlow } from "./refused-flow.js";
import { type FirewallRows, rowName, rowsOf, withChanges } from "./rows.js";
import { type FirewallRule, type PublishSpec, sameRule } from "./rule.js";
import { checkRules } from "./rules.js";
import type { RuleTables } from "./tables.js";

export interface BatchContext {
  readonly tables: RuleTables;
  readonly backend: FirewallBackend;
  readonly netlink: NetlinkHub;
  readonly elsewhere: HeldElsewhere;
  readonly allowed: AllowedAddresses;
  /** What plugins were refused, as this batch has read it: listed once for all requests of a plugin. */
  readonly refused: Map<string, Promise<readonly RefusedFlow[]>>;
}

/** A request that the rules let pass. */
interface Passed {
  readonly job: Job<AskedRule>;
  readonly verdict: Verdict;
}

interface Verdict {
  readonly changes: readonly FirewallChange[];
  readonly reply: Json;
  /** An address to allow for some time. */
  readonly timed?: TimedRule;
  /** An allowed address that is not to be allowed any more. */
  readonly untimed?: FirewallRule;
}

/** Rejects only when the namespace or the ledger fails as a whole; a request that is refused is replied to. */
export async function runBatch(batch: readonly Job<AskedRule>[], context: BatchContext): Promise<void> {
  const { tables, netlink } = context;
  const view = await netlink.backend.look({ addresses: true });
  await tables.forgetVanished(view);
  const passed: Passed[] = [];
  let rows = tables.rows;
  const added: FirewallRow[] = [];
  const admit = (row: FirewallRow): void => {
    if (!tables.hasRoom(recordedBytes([...added, row]))) throw failed(row.plugin, row.rule.kind, NO_ROOM);
    added.push(row);
  };
  for (const job of batch) {
    try {
      const before = passed.filter((one) => one.job.plugin === job.plugin && one.verdict.timed).length;
      const verdict = await judge(job, rows, view, context, admit, before);
      passed.push({ job, verdict });
      rows = withChanges(rows, verdict.changes);
    } catch (error) {
      reject(job, error);
    }
  }
  await tables.change(passed.flatMap(({ verdict }) => verdict.changes));
  await allowAll(passed, context);
  for (const { job, verdict } of passed) job.resolve(verdict.reply);
}

/**
 * Allows what the requests of a batch ask to allow for some time, in one transaction per plugin. If that fails, rejects those requests;
 * the plugin's others have been carried out, and other plugins are not affected.
 */
async function allowAll(passed: readonly Passed[], { tables }: BatchContext): Promise<void> {
  for (const plugin of new Set(passed.map(({ job }) => job.plugin))) {
    const own = passed.filter(({ job, verdict }) => job.plugin === plugin && (verdict.timed || verdict.untimed));
    try {
      await tables.allow(
        plugin,
        own.flatMap(({ verdict }) => verdict.timed ?? []),
      );
      await tables.disallow(
        plugin,
        own.flatMap(({ verdict }) => verdict.untimed ?? []),
      );
    } catch (error) {
      for (const { job } of own) reject(job, error);
    }
  }
}

function reject({ plugin, request, reject: settle }: Job<AskedRule>, error: unknown): void {
  settle(error instanceof DriverError ? error : failed(plugin, request.op, messageOf(error), error));
}

/**
 * Checks a request against `rows`, which include those of earlier requests in the batch. Holds the port that it publishes. `admit` throws
 * if there is no room to record a row.
 */
async function judge(
  { plugin, limits, netlink: netlinkGrant, request }: AskedRule,
  rows: FirewallRows,
  view: NamespaceView,
  context: BatchContext,
  admit: (row: FirewallRow) => void,
  timedBefore: number,
): Promise<Verdict> {
  const { netlink, allowed } = context;
  const own = rowsOf(rows, plugin);
  if (request.op === "rules") return { changes: [], reply: own.map(({ rule }) => rule) as unknown as Json };
  if (request.op === "refused") {
    const flows = context.refused.get(plugin) ?? context.tables.refused(plugin);
    context.refused.set(plugin, flows);
    return { changes: [], reply: (await flows) as unknown as Json };
  }
  const { rule } = request;
  const name = rowName(plugin, rule);
  const exists = own.some((row) => sameRule(row.rule, rule));
  if (request.op === "withdraw" && rule.kind === "allow") {
    const recorded = own.some((row) => row.name === name);
    return { changes: recorded ? [{ drop: name }] : [], untimed: rule, reply: null };
  }
  if (request.op === "withdraw") return { changes: exists ? [{ drop: name }] : [], reply: null };
  checkRules(request, {
    plugin,
    limits,
    subnets: netlinkGrant?.subnets ?? [],
    links: view.links,
    owner: (link) => netlink.owner(link, view),
    rows: [...rows.values()],
  });
  if (exists) return { changes: [], reply: null };
  if (isTimed(rule)) {
    // What is allowed without an end stays so; what is allowed long enough needs no work of the kernel's.
    if (own.some((row) => row.name === name) || allowed.covers(plugin, rule)) return { changes: [], reply: null };
    const obstacle = allowed.obstacle(plugin, rule, timedBefore);
    if (obstacle !== undefined) throw refused(plugin, "allow", "max", obstacle);
    return { changes: [], timed: rule, reply: null };
  }
  const row = { name, plugin, rule };
  admit(row);
  const aside = rule.kind === "publish" ? await hold(plugin, rule, context) : undefined;
  return { changes: [{ put: aside === undefined ? row : { ...row, aside } }], reply: null };
}

/**
 * Binds the host's port before any rule leads to it. Throws `ERR_FIREWALL_REFUSED` when the port is not free. A port that the platform
 * holds itself is served aside; the number is returned.
 */
async function hold(
  plugin: string,
  port: PublishSpec,
  { backend, elsewhere }: BatchContext,
): Promise<number | undefined> {
  if (elsewhere.has(port)) return backend.holdAside(port);
  const obstacle = await backend.hold(port);
  if (obstacle) throw refused(plugin, "publish", obstacle.rule, obstacle.words);
  return undefined;
}

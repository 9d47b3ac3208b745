/** Judges the requests of one batch, carries them out in one transaction, and replies to each. */
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import type { NamespaceView } from "../netlink/backend.js";
import type { NetlinkHub } from "../netlink/hub.js";
import { recordedBytes } from "../netlink/ledger.js";
import { type Job, NO_ROOM } from "../request-queue.js";
import type { FirewallBackend } from "./backend.js";
import { failed, refused } from "./errors.js";
import type { FirewallChange, FirewallRow } from "./ledger.js";
import type { AskedRule } from "./next-batch.js";
import { type FirewallRows, rowName, rowsOf, withChanges } from "./rows.js";
import { type PublishSpec, sameRule } from "./rule.js";
import { checkRules } from "./rules.js";
import type { RuleTables } from "./tables.js";

export interface BatchContext {
  readonly tables: RuleTables;
  readonly backend: FirewallBackend;
  readonly netlink: NetlinkHub;
}

interface Verdict {
  readonly changes: readonly FirewallChange[];
  readonly reply: Json;
}

/** Rejects only when the namespace or the ledger fails as a whole; a request that is refused is replied to. */
export async function runBatch(batch: readonly Job<AskedRule>[], context: BatchContext): Promise<void> {
  const { tables, netlink } = context;
  const view = await netlink.backend.look({ addresses: true });
  await tables.forgetVanished(view);
  const passed: { readonly job: Job<AskedRule>; readonly verdict: Verdict }[] = [];
  let rows = tables.rows;
  const added: FirewallRow[] = [];
  const admit = (row: FirewallRow): void => {
    if (!tables.hasRoom(recordedBytes([...added, row]))) throw failed(row.plugin, row.rule.kind, NO_ROOM);
    added.push(row);
  };
  for (const job of batch) {
    try {
      const verdict = await judge(job, rows, view, context, admit);
      passed.push({ job, verdict });
      rows = withChanges(rows, verdict.changes);
    } catch (error) {
      const { plugin, request, reject } = job;
      reject(error instanceof DriverError ? error : failed(plugin, request.op, messageOf(error), error));
    }
  }
  await tables.change(passed.flatMap(({ verdict }) => verdict.changes));
  for (const { job, verdict } of passed) job.resolve(verdict.reply);
}

/**
 * Checks a request against `rows`, which include those of earlier requests in the batch. Holds the port that it publishes. `admit` throws
 * if there is no room to record a row.
 */
async function judge(
  { plugin, limits, netlink: netlinkGrant, request }: AskedRule,
  rows: FirewallRows,
  view: NamespaceView,
  { backend, netlink }: BatchContext,
  admit: (row: FirewallRow) => void,
): Promise<Verdict> {
  const own = rowsOf(rows, plugin);
  if (request.op === "rules") return { changes: [], reply: own.map(({ rule }) => rule) as unknown as Json };
  const { rule } = request;
  const name = rowName(plugin, rule);
  const exists = own.some((row) => sameRule(row.rule, rule));
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
  const row = { name, plugin, rule };
  admit(row);
  if (rule.kind === "publish") await hold(plugin, rule, backend);
  return { changes: [{ put: row }], reply: null };
}

/** Binds the host's port before any rule leads to it. Throws `ERR_FIREWALL_REFUSED` when the port is not free. */
async function hold(plugin: string, port: PublishSpec, backend: FirewallBackend): Promise<void> {
  const obstacle = await backend.hold(port);
  if (obstacle) throw refused(plugin, "publish", obstacle.rule, obstacle.words);
}

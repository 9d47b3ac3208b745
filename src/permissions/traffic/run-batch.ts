/** Judges requests, records and applies what passed in one run, and replies to each. */
import type { Json } from "../../driverapi/json.js";
import { recordedBytes } from "../ledger.js";
import type { LinkView, NamespaceView } from "../netlink/backend.js";
import type { NetlinkHub } from "../netlink/hub.js";
import { type Job, NO_ROOM } from "../request-queue.js";
import type { ShapedLink, TrafficBackend } from "./backend.js";
import { failed } from "./errors.js";
import type { TrafficLimits } from "./grant.js";
import { ifbMark, ifbOf, inForce, isKept, type TrafficChange, type TrafficLedger, type TrafficRow } from "./ledger.js";
import type { TrafficRequest } from "./request.js";
import { checkRules } from "./rules.js";
import { numbersOf, SHAPE_FIELDS, type ShapeField, sameShape, type TrafficShape } from "./shape.js";

/** A request, by which plugin and under which grant. */
export interface AskedShape {
  readonly plugin: string;
  readonly limits: TrafficLimits;
  readonly request: TrafficRequest;
}

/** One namespace's shaped links. */
export interface Shapes {
  readonly backend: TrafficBackend;
  readonly netlink: NetlinkHub;
  readonly ledger: TrafficLedger;
  /** By the link's name. */
  readonly rows: ReadonlyMap<string, TrafficRow>;
  /** Writes to the ledger, then to memory. */
  record(changes: readonly TrafficChange[]): Promise<void>;
}

/** A link whose shape is to be changed, as recorded now and then. */
export interface Reshaping {
  readonly before: TrafficRow | undefined;
  readonly after: TrafficRow;
  readonly link: LinkView;
}

/** Rejects only when the namespace or the ledger fails as a whole. */
export async function runBatch(batch: readonly Job<AskedShape>[], shapes: Shapes): Promise<void> {
  const { backend, netlink, ledger, rows } = shapes;
  const view = await netlink.backend.look();
  const missing = await missingOf(batch, backend);
  const passed: { readonly job: Job<AskedShape>; readonly reshaping?: Reshaping | undefined; readonly reply: Json }[] =
    [];
  let planned = [...rows.values()];
  let bytes = 0;
  for (const job of batch) {
    const { plugin, limits, request } = job;
    try {
      if (request.op === "shapes") {
        passed.push({ job, reply: shapesOf(plugin, planned, view) as unknown as Json });
        continue;
      }
      const owner = (name: string): string | undefined => netlink.owner(name, view);
      checkRules(request, { plugin, limits, links: view.links, owner, rows: planned, missing });
      if (request.op === "check") {
        passed.push({ job, reply: null });
        continue;
      }
      const reshaping = reshapingOf(request.link, view, shapes, (row) => ({ ...row, plugin, asked: request.shape }));
      const more = recordedBytes([reshaping.after]);
      if (isKept(reshaping.after) && ledger.hasRoom?.(bytes + more) === false)
        throw failed(plugin, request.op, NO_ROOM);
      bytes += more;
      planned = [...planned.filter(({ name }) => name !== request.link), reshaping.after].filter(isKept);
      passed.push({ job, reshaping, reply: null });
    } catch (error) {
      job.reject(error as Error);
    }
  }
  const changing = passed.filter(({ reshaping }) => reshaping !== undefined);
  const failures = await reshape(
    changing.map(({ reshaping }) => reshaping as Reshaping),
    shapes,
  );
  for (const { job, reply, reshaping } of passed) {
    const words = reshaping && failures[changing.findIndex((one) => one.reshaping === reshaping)];
    if (words === undefined) job.resolve(reply);
    else job.reject(failed(job.plugin, job.request.op, words));
  }
}

/**
 * Plans a change of an existing link; ignores a row of an earlier link with the same name. Throws `ERR_TRAFFIC_FAILED` if another program
 * has a link with the name of the `ifb` that would limit incoming traffic.
 */
export function reshapingOf(
  name: string,
  view: NamespaceView,
  { rows, ledger }: Pick<Shapes, "rows" | "ledger">,
  change: (row: Omit<TrafficRow, "plugin">) => TrafficRow,
): Reshaping {
  const link = view.links.get(name) as LinkView;
  const ifb = ifbOf(ledger.id, name);
  const other = view.links.get(ifb);
  if (other !== undefined && other.alias !== ifbMark(ledger.id, name))
    throw failed(undefined, "shape", `another program has a link "${ifb}"; delete or rename it`);
  const row = rows.get(name);
  const before = row?.ifindex === link.ifindex ? row : undefined;
  return { before, after: change(before ?? { name, ifindex: link.ifindex }), link };
}

/**
 * Records and applies changes; only records those whose link has the shape already. Returns, for each that failed, the words of tc: its
 * link is then shaped, and recorded, as before.
 */
export async function reshape(
  changes: readonly Reshaping[],
  { backend, ledger, record }: Shapes,
): Promise<readonly (string | undefined)[]> {
  if (changes.length === 0) return [];
  await record(changes.map(({ after }) => recorded(after)));
  const differing = changes.filter(({ before, after }) => !sameShape(before && inForce(before), inForce(after)));
  if (differing.length === 0) return changes.map(() => undefined);
  const failures = await backend.apply(differing.map(({ after, link }) => shapedLink(after, link, ledger.id)));
  const undone = differing.filter((_, at) => failures[at] !== undefined);
  if (undone.length > 0) {
    const back = undone.flatMap(({ before, link }) => (before ? [shapedLink(before, link, ledger.id)] : []));
    if (back.length > 0) await backend.apply(back);
    await record(undone.map(({ before, after }) => (before ? { put: before } : { drop: after.name })));
  }
  return changes.map((one) => failures[differing.indexOf(one)]?.words);
}

function recorded(row: TrafficRow): TrafficChange {
  return isKept(row) ? { put: row } : { drop: row.name };
}

/** Returns what a backend is to do for a row. */
export function shapedLink(row: TrafficRow, { name, mtu }: Pick<LinkView, "name" | "mtu">, ledger: string): ShapedLink {
  return { link: name, mtu, shape: numbersOf(inForce(row)), ifb: ifbOf(ledger, name), mark: ifbMark(ledger, name) };
}

/** Lists a plugin's shaped links, by name, with the shape in force. */
function shapesOf(
  plugin: string,
  rows: readonly TrafficRow[],
  view: NamespaceView,
): readonly (TrafficShape & { readonly link: string })[] {
  const own = rows.filter((row) => row.plugin === plugin && view.links.get(row.name)?.ifindex === row.ifindex);
  own.sort((a, b) => (a.name < b.name ? -1 : 1));
  return own.map((row) => ({
    link: row.name,
    ...inForce(row),
    ...(row.changed === undefined ? {} : { byOperator: true }),
  }));
}

function missingOf(batch: readonly AskedShape[], backend: TrafficBackend): Promise<ReadonlyMap<ShapeField, string>> {
  return backend.missing(
    SHAPE_FIELDS.filter((field) =>
      batch.some(({ request }) => "shape" in request && request.shape[field] !== undefined),
    ),
  );
}

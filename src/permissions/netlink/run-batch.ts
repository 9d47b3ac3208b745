/** Judges, records and carries out the requests of one run, and replies to each. */
import type { Json } from "../../driverapi/json.js";
import { recordedBytes } from "../ledger.js";
import { type Job, NO_ROOM } from "../request-queue.js";
import type { NamespaceView, NetlinkBackend, Unit } from "./backend.js";
import { judgeCreate, missingIn } from "./create-link.js";
import { failed } from "./errors.js";
import { linksOf } from "./info.js";
import type { LedgerChange, LedgerRow } from "./ledger.js";
import type { AskedLink } from "./next-batch.js";
import type { Ownership } from "./ownership.js";
import { planOf } from "./plan.js";
import type { Ready } from "./ready.js";
import { remoteInfo } from "./remote-parts.js";
import { deletionOf, removeElsewhere } from "./removal.js";
import type { Situation } from "./rule.js";
import { checkRules } from "./rules.js";
import { added } from "./rules-addresses.js";
import { isOnRemote, remotesOf } from "./rules-remotes.js";

type LinkJob = Job<AskedLink>;

export interface BatchContext {
  readonly ownership: Ownership;
  readonly backend: NetlinkBackend;
  resolvers(): Promise<readonly string[]>;
}

/** One of them, and the job that asked for it. */
interface Answering extends Ready {
  readonly job: LinkJob;
}

/** Judges, records intents, carries out, records results, replies. Rejects only when the namespace or the ledger fails as a whole. */
export async function runBatch(batch: readonly LinkJob[], context: BatchContext): Promise<void> {
  const { ownership, backend } = context;
  const nets = batch.some(
    ({ request }) => "address" in request || added(request).length > 0 || "route" in request || isOnRemote(request),
  );
  const remotes = batch.some(({ request }) => isOnRemote(request));
  const lists = batch.some(({ request }) => request.op === "links");
  // The reply for a link that exists already has its present addresses.
  const adopts = batch.some(({ request }) => request.op === "createLink" && ownership.row(request.link.name));
  const shrinks = batch.some(({ request }) => request.op === "setLink" && request.settings.mtu !== undefined);
  const tunnels = batch.some(({ request }) => request.op === "createLink" && request.link.kind === "vxlan");
  const addresses = nets || lists || adopts || shrinks || tunnels;
  const view = await backend.look({ addresses, routes: nets, counters: lists, remotes });
  const resolvers = nets ? await context.resolvers() : [];
  await ownership.forgetVanished(view);

  const ready: Answering[] = [];
  const counts = new Map<string, number>();
  let bytes = 0;
  for (const job of batch) {
    try {
      const count = counts.get(job.plugin) ?? ownership.of(job.plugin).length;
      const one = { job, ...(await judge(job, { ownership, backend, view, resolvers }, count)) };
      if (one.intents.length > 0) {
        const more = recordedBytes(one.intents);
        if (ownership.ledger.hasRoom?.(bytes + more) === false) throw failed(job.plugin, job.request.op, NO_ROOM);
        bytes += more;
      }
      counts.set(job.plugin, count + one.intents.filter(({ name }) => ownership.row(name) === undefined).length);
      ready.push(one);
    } catch (error) {
      job.reject(error as Error);
    }
  }
  await ownership.write(ready.flatMap(({ intents }) => intents.map((put) => ({ put }))));

  const { failures, seen } = await carryOut(ready, backend, ownership);
  await ownership.write(
    ready.flatMap((one, index) => (failures[index] === undefined ? one.answer(seen).rows : one.withdrawn)),
  );
  for (const [index, one] of ready.entries()) {
    const failure = failures[index];
    const { plugin, request, resolve, reject } = one.job;
    if (failure === undefined) resolve(one.answer(seen).value);
    else reject(failed(plugin, request.op, failure.words));
  }
}

async function carryOut(
  ready: readonly Answering[],
  backend: NetlinkBackend,
  ownership: Ownership,
): ReturnType<NetlinkBackend["apply"]> {
  if (ready.every(({ unit }) => unit.length === 0)) return { failures: [], seen: new Map() };
  try {
    return await backend.apply(ready.map(({ unit }) => unit));
  } catch (error) {
    // It is unknown how many steps were done: delete what they may have created.
    const undo = ready.flatMap(({ unit }) =>
      unit.flatMap(({ undo }) => (undo?.op === "delete" ? [[{ change: undo }]] : [])),
    );
    await backend.apply(undo).catch(() => {});
    // Remote hosts stay recorded: they may have been set, and can be set again.
    const drops = ready.flatMap(({ withdrawn }) => withdrawn.filter((change) => "drop" in change));
    await ownership.write(drops).catch(() => {});
    throw error;
  }
}

interface Judging extends Omit<BatchContext, "resolvers"> {
  readonly view: NamespaceView;
  readonly resolvers: readonly string[];
}

async function judge(job: LinkJob, { ownership, backend, view, resolvers }: Judging, count: number): Promise<Ready> {
  const { plugin, limits, request } = job;
  const situation: Situation = {
    plugin,
    limits,
    view,
    resolvers,
    count,
    owned: ownership.of(plugin),
    own: (name) => ownership.own(plugin, name, view),
  };
  checkRules(request, situation);
  const done = (unit: Unit, rows: readonly LedgerChange[] = [], value: Json = null): Ready => ({
    unit,
    intents: [],
    withdrawn: [],
    answer: () => ({ rows, value }),
  });

  const missing = request.op === "createLink" ? undefined : missingIn(request, situation);
  if (missing !== undefined) throw failed(plugin, request.op, `Cannot find device "${missing}"`);

  const planning = { ledger: ownership.ledger.id, plugin, view, port: limits.ports[0], remotes: [] };
  switch (request.op) {
    case "links":
      return done([], [], linksOf(plugin, ownership, view));
    case "deleteLink": {
      const row = situation.own(request.name) as LedgerRow;
      const { unit, drops, elsewhere } = deletionOf(row, ownership, view);
      if (elsewhere) await removeElsewhere(elsewhere, ownership, backend);
      return done(
        unit,
        drops.map((drop) => ({ drop })),
      );
    }
    case "remotes": {
      const list = remotesOf(situation.own(request.name)).map((remote) => remoteInfo(request.name, remote, view));
      return done([], [], list as unknown as Json);
    }
    case "setRemote":
    case "removeRemote": {
      const row = situation.own(request.name) as LedgerRow;
      const unit = planOf(request, { ...planning, remotes: remotesOf(row) });
      const host = request.op === "setRemote" ? request.remote.host : request.host;
      const others = remotesOf(row).filter((one) => one.host !== host);
      if (request.op === "removeRemote") return done(unit, [{ put: { ...row, remotes: others } }]);
      const intents = [{ ...row, remotes: [...others, request.remote] }];
      return { ...done(unit), intents, withdrawn: [{ put: row }] };
    }
    case "createLink":
      return judgeCreate(request, situation, ownership, planning);
    default:
      return done(planOf(request, planning));
  }
}

/** One run's worth of requests: which may go together, and how they are judged, written down, carried out and answered. */
import type { Json } from "../../driverapi/json.js";
import type { LinkView, NamespaceView, NetlinkBackend, Unit } from "./backend.js";
import { type Network, networkOf, overlaps } from "./cidr.js";
import { failed } from "./errors.js";
import type { NetlinkLimits } from "./grant.js";
import { linkInfo, linksOf } from "./info.js";
import type { LedgerChange, LedgerRow } from "./ledger.js";
import { NETLINK } from "./limits.js";
import type { Ownership } from "./ownership.js";
import { planOf } from "./plan.js";
import { deletionOf, removeElsewhere } from "./removal.js";
import type { NetlinkRequest } from "./request.js";
import type { Situation } from "./rule.js";
import { checkRules } from "./rules.js";
import { added, isAddress } from "./rules-addresses.js";
import { macsOf, parentOf } from "./rules-links.js";
import { madeBy, usedBy } from "./rules-names.js";

/** A request that waits for its answer. */
export interface Job {
  readonly plugin: string;
  readonly limits: NetlinkLimits;
  readonly request: NetlinkRequest;
  resolve(answer: Json): void;
  reject(error: Error): void;
}

export interface WaveContext {
  readonly ownership: Ownership;
  readonly backend: NetlinkBackend;
  resolvers(): Promise<readonly string[]>;
}

/** The requests that can go together, and those that must wait: for one before them on the same link, or for a fair share. */
export function takeWave(
  queue: readonly Job[],
  peerOf: (name: string) => string | undefined,
): { readonly wave: readonly Job[]; readonly rest: readonly Job[] } {
  const wave: Job[] = [];
  const rest: Job[] = [];
  const touched = new Set<string>();
  const nets: { readonly plugin: string; readonly network: Network }[] = [];
  const shares = new Map<string, number>();
  for (const job of queue) {
    const { waits, marks } = touches(job, peerOf);
    const network = networkIn(job.request);
    const share = shares.get(job.plugin) ?? 0;
    const held =
      share >= NETLINK.wavePerPlugin ||
      waits.some((key) => touched.has(key)) ||
      // Of two plugins that want one network, the second is judged when the first has it.
      (network && nets.some((one) => one.plugin !== job.plugin && overlaps(one.network, network)));
    if (held) rest.push(job);
    else {
      wave.push(job);
      shares.set(job.plugin, share + 1);
    }
    for (const key of marks) touched.add(key);
    if (network) nets.push({ plugin: job.plugin, network });
  }
  return { wave, rest };
}

/** What a request waits for and what waits for it. `links()` comes after all its plugin asked before, and before what it asks next. */
function touches(
  { plugin, request }: Job,
  peerOf: (name: string) => string | undefined,
): { readonly waits: readonly string[]; readonly marks: readonly string[] } {
  if (request.op === "links") return { waits: [`write ${plugin}`], marks: [`read ${plugin}`] };
  const names = [...madeBy(request), ...usedBy(request)].flatMap((name) => [name, peerOf(name) ?? name]);
  const keys = [...names.map((name) => `link ${name}`), ...macsOf(request).map((mac) => `mac ${mac}`)];
  return { waits: [...keys, `read ${plugin}`], marks: [...keys, `write ${plugin}`] };
}

function networkIn(request: NetlinkRequest): Network | undefined {
  const text = added(request);
  return text !== undefined && (isAddress(text, "prefixed") || isAddress(text, "destination"))
    ? networkOf(text)
    : undefined;
}

/** A request that has passed the rules. */
interface Ready {
  readonly job: Job;
  readonly unit: Unit;
  /** Written before, so that a crash leaves nothing unknown. */
  readonly intents: readonly LedgerRow[];
  answer(seen: ReadonlyMap<string, LinkView>): { readonly rows: readonly LedgerChange[]; readonly value: Json };
}

/** Judges, writes intents, carries out, records, answers. Rejects only when the namespace or the ledger fails as a whole. */
export async function runWave(wave: readonly Job[], context: WaveContext): Promise<void> {
  const { ownership, backend } = context;
  const nets = wave.some(({ request }) => "address" in request || "route" in request);
  const lists = wave.some(({ request }) => request.op === "links");
  // A link that is adopted is told of as it is by now.
  const adopts = wave.some(({ request }) => request.op === "createLink" && ownership.row(request.link.name));
  const shrinks = wave.some(({ request }) => request.op === "setLink" && request.settings.mtu !== undefined);
  const view = await backend.look({ addresses: nets || lists || adopts || shrinks, routes: nets, counters: lists });
  const resolvers = nets ? await context.resolvers() : [];
  await ownership.forgetVanished(view);

  const ready: Ready[] = [];
  const counts = new Map<string, number>();
  for (const job of wave) {
    try {
      const count = counts.get(job.plugin) ?? ownership.of(job.plugin).length;
      const one = await judge(job, { ownership, backend, view, resolvers }, count);
      counts.set(job.plugin, count + one.intents.filter(({ name }) => ownership.row(name) === undefined).length);
      ready.push(one);
    } catch (error) {
      job.reject(error as Error);
    }
  }
  await ownership.write(ready.flatMap(({ intents }) => intents.map((put) => ({ put }))));

  const { failures, seen } = await carryOut(ready, backend, ownership);
  await ownership.write(
    ready.flatMap((one, index) =>
      failures[index] === undefined ? one.answer(seen).rows : one.intents.map(({ name }) => ({ drop: name })),
    ),
  );
  for (const [index, one] of ready.entries()) {
    const failure = failures[index];
    const { plugin, request, resolve, reject } = one.job;
    if (failure === undefined) resolve(one.answer(seen).value);
    else reject(failed(plugin, request.op, failure.words));
  }
}

async function carryOut(
  ready: readonly Ready[],
  backend: NetlinkBackend,
  ownership: Ownership,
): ReturnType<NetlinkBackend["apply"]> {
  if (ready.every(({ unit }) => unit.length === 0)) return { failures: [], seen: new Map() };
  try {
    return await backend.apply(ready.map(({ unit }) => unit));
  } catch (error) {
    // Nobody knows how far it came: what was to be made is unmade, as far as that goes.
    const undo = ready.flatMap(({ unit }) =>
      unit.flatMap(({ undo }) => (undo?.op === "delete" ? [[{ change: undo }]] : [])),
    );
    await backend.apply(undo).catch(() => {});
    await ownership.write(ready.flatMap(({ intents }) => intents.map(({ name }) => ({ drop: name })))).catch(() => {});
    throw error;
  }
}

interface Judging extends Omit<WaveContext, "resolvers"> {
  readonly view: NamespaceView;
  readonly resolvers: readonly string[];
}

async function judge(job: Job, { ownership, backend, view, resolvers }: Judging, count: number): Promise<Ready> {
  const { plugin, limits, request } = job;
  const situation: Situation = {
    plugin,
    limits,
    view,
    resolvers,
    count,
    own: (name) => ownership.own(plugin, name, view),
  };
  checkRules(request, situation);
  const done = (unit: Unit, rows: readonly LedgerChange[] = [], value: Json = null): Ready => ({
    job,
    unit,
    intents: [],
    answer: () => ({ rows, value }),
  });

  const missing = usedBy(request).find((name) => situation.own(name) === undefined && !view.links.has(name));
  if (missing !== undefined) throw failed(plugin, request.op, `Cannot find device "${missing}"`);

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
    case "createLink":
      break;
    default:
      return done(planOf(request, { ledger: ownership.ledger.id, plugin, view, port: limits.ports[0] }));
  }

  const { link } = request;
  const existing = situation.own(link.name);
  if (existing) return done([], [], linkInfo(existing, ownership, view) as unknown as Json);
  const taken = madeBy(request).find((name) => view.links.has(name));
  if (taken !== undefined) throw failed(plugin, request.op, `RTNETLINK answers: File exists: "${taken}"`);
  const parent = parentOf(link);
  if (parent !== undefined && !view.links.has(parent))
    throw failed(plugin, request.op, `Cannot find device "${parent}"`);

  const intents = madeBy(request).map((name): LedgerRow => ({ plugin, name, spec: link }));
  return {
    job,
    unit: planOf(request, { ledger: ownership.ledger.id, plugin, view, port: limits.ports[0] }),
    intents,
    answer(seen) {
      const rows = intents.map((row) => {
        const { ifindex, mac, mtu } = seen.get(row.name) ?? {};
        return { ...row, ifindex, mac, mtu };
      });
      const [first] = rows as [LedgerRow];
      const made: NamespaceView = { links: seen, routes: [] };
      return { rows: rows.map((put) => ({ put })), value: linkInfo(first, ownership, made) as unknown as Json };
    },
  };
}

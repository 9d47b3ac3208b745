/** Judges `createLink`. Its first settings are judged and planned like later requests that would set them, and undone with the link. */
import type { Json } from "../../driverapi/json.js";
import type { LinkView, NamespaceView, Unit } from "./backend.js";
import { failed } from "./errors.js";
import { linkInfo } from "./info.js";
import type { LedgerRow } from "./ledger.js";
import type { FirstSettings, LinkSettings } from "./link-spec.js";
import type { Ownership } from "./ownership.js";
import { type PlanContext, planOf } from "./plan.js";
import type { Ready } from "./ready.js";
import type { CreateRequest, NetlinkRequest } from "./request.js";
import type { Situation } from "./rule.js";
import { checkRules } from "./rules.js";
import { parentOf } from "./rules-links.js";
import { mostMtu } from "./rules-mtu.js";
import { madeBy, usedBy } from "./rules-names.js";

/** Returns the first link that a request uses and that does not exist. */
export function missingIn(request: NetlinkRequest, { own, view }: Situation): string | undefined {
  return usedBy(request).find((name) => own(name) === undefined && !view.links.has(name));
}

/** Judges a request; completes a link that exists with the same properties. Throws `ERR_NETLINK_REFUSED` and `ERR_NETLINK_FAILED`. */
export function judgeCreate(
  request: CreateRequest,
  situation: Situation,
  ownership: Ownership,
  planning: PlanContext,
): Ready {
  const { plugin, view } = situation;
  const { link, first } = request;
  const fail = (words: string): Error => failed(plugin, request.op, words);
  const existing = situation.own(link.name);
  const taken = existing ? undefined : madeBy(request).find((name) => view.links.has(name));
  if (taken !== undefined) throw fail(`RTNETLINK answers: File exists: "${taken}"`);
  const parent = parentOf(link);
  if (!existing && parent !== undefined && !view.links.has(parent)) throw fail(`Cannot find device "${parent}"`);

  const then = existing ? situation : afterCreation(request, situation);
  const later = laterRequests(link.name, first, existing && view.links.get(link.name));
  for (const one of later) checkRules(one, then, request.op);
  const missing = later.map((one) => missingIn(one, then)).find((name) => name !== undefined);
  if (missing !== undefined) throw fail(`Cannot find device "${missing}"`);
  const setting = later.flatMap((one) => planOf(one, { ...planning, view: then.view }));
  const addresses = later.flatMap((one) => (one.op === "addAddress" ? [one.address] : []));
  /** Describes the link as a `look` step has shown it; that step does not show addresses, so they are added. */
  const infoOf = (row: LedgerRow, made: NamespaceView): Json => {
    const info = linkInfo(row, ownership, made);
    return { ...info, addresses: [...new Set([...info.addresses, ...addresses])] } as unknown as Json;
  };

  if (existing) {
    const unit: Unit = setting.length === 0 ? [] : [...setting, { change: { op: "look", name: link.name } }];
    const nowOf = (seen: ReadonlyMap<string, LinkView>): NamespaceView => {
      const before = view.links.get(link.name);
      const now = seen.get(link.name);
      return before && now
        ? { ...view, links: new Map(view.links).set(link.name, { ...now, addresses: before.addresses }) }
        : view;
    };
    return { unit, intents: [], withdrawn: [], answer: (seen) => ({ rows: [], value: infoOf(existing, nowOf(seen)) }) };
  }
  const intents = madeBy(request).map((name): LedgerRow => ({ plugin, name, spec: link }));
  return {
    unit: planOf(request, planning, setting),
    intents,
    withdrawn: intents.map(({ name }) => ({ drop: name })),
    answer(seen) {
      const rows = intents.map((row) => {
        const { ifindex, mac, mtu } = seen.get(row.name) ?? {};
        return { ...row, ifindex, mac, mtu };
      });
      const [made] = rows as [LedgerRow];
      return { rows: rows.map((put) => ({ put })), value: infoOf(made, { links: seen, routes: [] }) };
    },
  };
}

/** Returns the requests that would set `first` on a link. `there` is the link if it exists; what it has already is left out. */
function laterRequests(
  name: string,
  { addresses = [], master, up }: FirstSettings = {},
  there: LinkView | undefined,
): readonly NetlinkRequest[] {
  const has = new Set(there?.addresses.map(({ ip, prefix }) => `${ip}/${prefix}`));
  const settings: LinkSettings = {
    ...(master === undefined || master === there?.master ? {} : { master }),
    ...(up === true && there?.up !== true ? { up } : {}),
  };
  return [
    ...addresses
      .filter((address) => !has.has(address))
      .map((address): NetlinkRequest => ({ op: "addAddress", name, address })),
    ...(Object.keys(settings).length === 0 ? [] : [{ op: "setLink", name, settings } as const]),
  ];
}

/** Returns the situation after the requested link has been created. */
function afterCreation(request: CreateRequest, situation: Situation): Situation {
  const { plugin, view } = situation;
  const { link } = request;
  const rows = new Map(madeBy(request).map((name) => [name, { plugin, name, spec: link } satisfies LedgerRow]));
  const links = new Map(view.links);
  const mtu = link.mtu ?? mostMtu(link, situation);
  for (const name of rows.keys())
    links.set(name, { name, ifindex: 0, kind: link.kind, up: false, mtu, mac: link.mac ?? "", addresses: [] });
  return {
    ...situation,
    view: { ...view, links },
    count: situation.count + rows.size,
    owned: [...situation.owned, ...rows.values()],
    own: (name) => rows.get(name) ?? situation.own(name),
  };
}

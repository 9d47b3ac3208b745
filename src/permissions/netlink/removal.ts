/** Removes links, from the namespace or from sandboxes they were moved into; of a veth both ends. */
import type { OperatorLog } from "../../common/logger.js";
import type { NamespaceView, NetlinkBackend, Unit } from "./backend.js";
import type { LedgerRow } from "./ledger.js";
import type { Ownership } from "./ownership.js";
import { otherEnd } from "./rules-links.js";

/** How one link is removed. */
export interface Deletion {
  /** The steps in the namespace itself. */
  readonly unit: Unit;
  /** Rows to forget then. */
  readonly drops: readonly string[];
  /** The row of a link that is only in a sandbox. */
  readonly elsewhere?: LedgerRow | undefined;
}

/** Plans the removal of a plugin's link; of a veth, by the end that is in the namespace. */
export function deletionOf(row: LedgerRow, ownership: Ownership, view: NamespaceView): Deletion {
  const ends = row.spec.kind === "veth" ? [row.name, otherEnd(row.spec, row.name)] : [row.name];
  const rows = ends.flatMap((name) => ownership.row(name) ?? []).filter(({ plugin }) => plugin === row.plugin);
  const drops = rows.map(({ name }) => name);
  const here = rows.find((one) => {
    const link = view.links.get(one.name);
    return link !== undefined && ownership.isSame(one, link);
  });
  if (here) return { unit: [{ change: { op: "delete", name: here.name } }], drops };
  return { unit: [], drops, elsewhere: rows.find(({ moved }) => moved !== undefined) };
}

/** Removes a link, found by its mark, from the sandbox it was moved into. A sandbox that is gone has deleted it. */
export async function removeElsewhere(row: LedgerRow, ownership: Ownership, backend: NetlinkBackend): Promise<void> {
  if (row.moved === undefined) return;
  const there = backend.elsewhere(row.moved.netns);
  let view: NamespaceView;
  try {
    view = await there.look();
  } catch {
    return;
  }
  const found = [...view.links.values()].find(({ alias }) => alias === ownership.mark(row));
  if (found) await there.apply([[{ change: { op: "delete", name: found.name } }]]);
}

/** Removes links and forgets them. A failure is logged. */
export async function removeLinks(
  rows: readonly LedgerRow[],
  ownership: Ownership,
  backend: NetlinkBackend,
  logger: OperatorLog,
): Promise<void> {
  const view = await backend.look();
  const done = new Set<string>();
  const units: Unit[] = [];
  const away: LedgerRow[] = [];
  for (const row of rows) {
    if (done.has(row.name)) continue;
    const { unit, drops, elsewhere } = deletionOf(row, ownership, view);
    for (const name of drops) done.add(name);
    if (unit.length > 0) units.push(unit);
    if (elsewhere) away.push(elsewhere);
  }
  for (const row of away) await removeElsewhere(row, ownership, backend);
  const { failures } = await backend.apply(units);
  for (const failure of failures) {
    if (failure && !failure.words.includes("Cannot find device")) {
      logger.error({ words: failure.words }, `netlink: a link could not be removed: ${failure.words}`);
    }
  }
  await ownership.write([...done].map((drop) => ({ drop })));
}

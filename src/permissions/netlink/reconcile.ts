/**
 * Reconciles the ledger with the namespace's links after a crash: keeps recorded links that exist, forgets those that do not, and removes
 * intended ones, unrecorded ones with this ledger's mark, and those of a memory ledger whose process has ended.
 */
import type { OperatorLog } from "../../common/logger.js";
import { isGone } from "../ledger.js";
import type { NetlinkBackend, Unit } from "./backend.js";
import { type LedgerChange, type LedgerRow, readMark } from "./ledger.js";
import type { Ownership } from "./ownership.js";
import { restoreRemotes } from "./restore-remotes.js";

export async function reconcile(ownership: Ownership, backend: NetlinkBackend, logger: OperatorLog): Promise<void> {
  await ownership.load();
  const view = await backend.look({ kinds: true });
  const removed = new Set<string>();
  const changes: LedgerChange[] = [];
  const missing: string[] = [];

  for (const row of ownership.all()) {
    const link = view.links.get(row.name);
    if (row.moved !== undefined) {
      // Its move was recorded, and did not happen.
      if (link && ownership.isSame(row, link)) changes.push({ put: { ...row, moved: undefined } });
      else if (await isLost(row, ownership, backend)) {
        missing.push(row.name);
        changes.push({ drop: row.name });
      }
      continue;
    }
    if (row.ifindex === undefined) {
      // A crash before marking leaves the link without a mark: name and kind then identify it.
      const ours = link?.alias === ownership.mark(row) || (link?.alias === undefined && link?.kind === row.spec.kind);
      if (link && ours) removed.add(row.name);
      changes.push({ drop: row.name });
    } else if (!(link && ownership.isSame(row, link)) && !ownership.isElsewhere(row, view)) {
      missing.push(row.name);
      changes.push({ drop: row.name });
    }
  }
  for (const { name, alias } of view.links.values()) {
    const mark = readMark(alias);
    if (mark === undefined) continue;
    const orphan = mark.ledger === ownership.ledger.id && ownership.row(mark.name) === undefined;
    if (orphan || isGone(mark.ledger)) removed.add(name);
  }

  // They may have been moved and come back: a `look` step makes them ignore router advertisements again.
  const back = changes.flatMap((change): Unit[] =>
    "put" in change ? [[{ change: { op: "look", name: change.put.name } }]] : [],
  );
  if (back.length > 0) await backend.apply(back);

  const units = [...removed].map((name): Unit => [{ change: { op: "delete", name } }]);
  if (units.length > 0) {
    logger.warn(
      { links: [...removed] },
      `netlink: ${units.length} link(s) were left behind by a crash and are removed`,
    );
    const { failures } = await backend.apply(units);
    // Deleting one end of a veth deletes the other.
    for (const failure of failures) {
      if (failure && !failure.words.includes("Cannot find device")) {
        logger.error({ words: failure.words }, `netlink: a link left behind could not be removed: ${failure.words}`);
      }
    }
  }
  await ownership.write(changes);
  // It says in the log what it sets again; the audit log is for other programs' changes.
  await restoreRemotes(ownership, backend, { logger, report() {} });
  if (missing.length > 0) {
    logger.warn(
      { links: missing },
      `netlink: ${missing.length} link(s) are recorded and gone; their drivers make them again when their networks are replayed`,
    );
  }
}

/** True if a link is no longer in the sandbox it was moved into. False if the sandbox cannot be inspected. */
async function isLost(row: LedgerRow, ownership: Ownership, backend: NetlinkBackend): Promise<boolean> {
  if (row.moved === undefined) return false;
  try {
    const there = await backend.elsewhere(row.moved.netns).look();
    return ![...there.links.values()].some(({ alias }) => alias === ownership.mark(row));
  } catch (error) {
    return /No such file or directory|does not exist/.test(error instanceof Error ? error.message : "");
  }
}

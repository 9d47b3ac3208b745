/** Restores names of links that another program renamed, and reports links that another program deleted. */

import type { OperatorLog } from "../../common/logger.js";
import { announce, type ExternalChange } from "../external-changes.js";
import type { LinkView, NamespaceView, NetlinkBackend, Unit } from "./backend.js";
import type { LedgerRow } from "./ledger.js";
import type { LinkSpec } from "./link-spec.js";
import type { Ownership } from "./ownership.js";
import { restoreRemotes } from "./restore-remotes.js";

/** A link that another program has deleted. */
export interface LostLink {
  readonly name: string;
  readonly kind: LinkSpec["kind"];
}

export interface RestoreLinksOptions {
  readonly logger: OperatorLog;
  report(event: ExternalChange): void;
  /** Called with a plugin's links that are gone. */
  lost(plugin: string, links: readonly LostLink[]): void;
}

/** Compares the links with the ledger, restores what it can, and reports every change. Never rejects. */
export async function restoreLinks(
  ownership: Ownership,
  backend: NetlinkBackend,
  { logger, report, lost: reportLost }: RestoreLinksOptions,
): Promise<void> {
  const tell = (change: ExternalChange): void => announce("netlink", change, { logger, report });
  try {
    const { renamed, stuck, lost } = await findChanged(ownership, backend);
    for (const { row, from } of renamed) {
      const detail = `link "${row.name}" of plugin "${row.plugin}" had been renamed "${from}" by another program, and has its name back`;
      tell({ event: "link-restored", plugin: row.plugin, detail });
    }
    for (const { row, from, words } of stuck) {
      const command = `ip link set dev ${from} name ${row.name}`;
      const detail = `link "${row.name}" of plugin "${row.plugin}" was renamed "${from}" by another program, and cannot be renamed back (${words}); when the name is free, run: ${command}`;
      logger.error({ plugin: row.plugin }, `netlink: ${detail}`);
    }
    await ownership.write(lost.map(({ name }) => ({ drop: name })));
    for (const { plugin, name, spec } of lost) {
      const cut = spec.kind === "veth" ? "; the container at its other end is cut off until it is restarted" : "";
      tell({
        event: "link-lost",
        plugin,
        detail: `link "${name}" of plugin "${plugin}" was deleted by another program${cut}`,
      });
    }
    await restoreRemotes(ownership, backend, { logger, report });
    for (const plugin of new Set(lost.map((row) => row.plugin))) {
      const own = lost.filter((row) => row.plugin === plugin);
      reportLost(
        plugin,
        own.map(({ name, spec: { kind } }) => ({ name, kind })),
      );
    }
  } catch (error) {
    logger.error(
      { err: error },
      "netlink: links could not be compared with the ledger; changes by other programs are not restored",
    );
  }
}

interface Changed {
  readonly renamed: readonly { readonly row: LedgerRow; readonly from: string }[];
  /** Renamed links that could not be renamed back, and the kernel's words. */
  readonly stuck: readonly { readonly row: LedgerRow; readonly from: string; readonly words: string }[];
  readonly lost: readonly LedgerRow[];
}

/** Inspects every link that should be in the namespace, and renames back those that were renamed. */
async function findChanged(ownership: Ownership, backend: NetlinkBackend): Promise<Changed> {
  const view = await backend.look({ addresses: true });
  const missing = ownership.all().filter((row) => {
    const link = view.links.get(row.name);
    return row.ifindex !== undefined && row.moved === undefined && !(link && ownership.isSame(row, link));
  });
  const renamed: { row: LedgerRow; from: string }[] = [];
  const stuck: { row: LedgerRow; from: string; words: string }[] = [];
  const lost: LedgerRow[] = [];
  for (const row of missing) {
    const link = [...view.links.values()].find((one) => ownership.isSame(row, one));
    if (link !== undefined) {
      const words = await rename(link, row.name, backend);
      if (words === undefined) renamed.push({ row, from: link.name });
      else stuck.push({ row, from: link.name, words });
    } else if (isLost(row, ownership, view)) lost.push(row);
  }
  return { renamed, stuck, lost };
}

/** False for a macvlan: it has no peer by which a deleted one could be told from one in a container. */
function isLost(row: LedgerRow, ownership: Ownership, view: NamespaceView): boolean {
  return row.spec.kind !== "macvlan" && !ownership.isElsewhere(row, view);
}

/** Renames a link; returns the kernel's words on failure. Older kernels rename a link only while it is down, which loses its IPv6 addresses. */
async function rename(link: LinkView, to: string, backend: NetlinkBackend): Promise<string | undefined> {
  const step: Unit = [{ change: { op: "rename", name: link.name, to } }];
  const first = (await backend.apply([step])).failures[0];
  if (first === undefined) return undefined;
  if (!link.up) return first.words;
  const six = link.addresses.filter(({ ip }) => ip.includes(":") && !ip.startsWith("fe80:"));
  const unit: Unit = [
    { change: { op: "down", name: link.name }, undo: { op: "up", name: link.name } },
    ...step,
    { change: { op: "up", name: to } },
    ...six.map(({ ip, prefix }) => ({ change: { op: "addAddress", name: to, address: `${ip}/${prefix}` } as const })),
  ];
  return (await backend.apply([unit])).failures[0]?.words;
}

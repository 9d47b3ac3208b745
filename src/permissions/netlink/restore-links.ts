/** Links of ours that somebody else has renamed or deleted: the former get their names back, of the latter the host is told. */

import type { OperatorLog } from "../../common/logger.js";
import type { ExternalChange } from "../external-changes.js";
import type { LinkView, NamespaceView, NetlinkBackend, Unit } from "./backend.js";
import type { LedgerRow } from "./ledger.js";
import type { LinkSpec } from "./link-spec.js";
import type { Ownership } from "./ownership.js";

/** A link that somebody else has deleted. */
export interface LostLink {
  readonly name: string;
  readonly kind: LinkSpec["kind"];
}

export interface StrayReports {
  readonly logger: OperatorLog;
  report(event: ExternalChange): void;
  /** A plugin's links are gone. */
  lost(plugin: string, links: readonly LostLink[]): void;
}

/** Finds strays, puts right what can be put right, and tells of all. Never rejects. */
export async function restoreLinks(
  ownership: Ownership,
  backend: NetlinkBackend,
  { logger, report, lost: tellLost }: StrayReports,
): Promise<void> {
  const tell = (event: ExternalChange): void => {
    logger.warn({ plugin: event.plugin }, `netlink: ${event.detail}`);
    report(event);
  };
  try {
    const { renamed, stuck, lost } = await findStrays(ownership, backend);
    for (const { row, from } of renamed) {
      const detail = `link "${row.name}" of plugin "${row.plugin}" had been renamed "${from}" by somebody else, and has its name back`;
      tell({ event: "link-restored", plugin: row.plugin, detail });
    }
    for (const { row, from, words } of stuck) {
      const command = `ip link set dev ${from} name ${row.name}`;
      const detail = `link "${row.name}" of plugin "${row.plugin}" was renamed "${from}" by somebody else, and cannot be renamed back (${words}); when the name is free, run: ${command}`;
      logger.error({ plugin: row.plugin }, `netlink: ${detail}`);
    }
    await ownership.write(lost.map(({ name }) => ({ drop: name })));
    for (const { plugin, name, spec } of lost) {
      const cut = spec.kind === "veth" ? "; the container at its other end is cut off until it is restarted" : "";
      tell({
        event: "link-lost",
        plugin,
        detail: `link "${name}" of plugin "${plugin}" was deleted by somebody else${cut}`,
      });
    }
    for (const plugin of new Set(lost.map((row) => row.plugin))) {
      const own = lost.filter((row) => row.plugin === plugin);
      tellLost(
        plugin,
        own.map(({ name, spec: { kind } }) => ({ name, kind })),
      );
    }
  } catch (error) {
    logger.error({ err: error }, "netlink: what others have done to our links could not be looked at");
  }
}

/** What was found. */
interface Strays {
  readonly renamed: readonly { readonly row: LedgerRow; readonly from: string }[];
  /** Renamed links that could not get their name back, and the kernel's words. */
  readonly stuck: readonly { readonly row: LedgerRow; readonly from: string; readonly words: string }[];
  readonly lost: readonly LedgerRow[];
}

/** Looks at every link that should be here, and gives those that were renamed their names back. */
async function findStrays(ownership: Ownership, backend: NetlinkBackend): Promise<Strays> {
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

/** A macvlan has no other end by which to tell one that was deleted from one that is in a container. */
function isLost(row: LedgerRow, ownership: Ownership, view: NamespaceView): boolean {
  return row.spec.kind !== "macvlan" && !ownership.isElsewhere(row, view);
}

/** Gives the kernel's words where it fails. Older kernels rename only what is down, which costs a link its IPv6 addresses. */
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

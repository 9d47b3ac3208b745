/** Sets the remote hosts of vxlans again, of which a crash or another program has left only a part. */
import type { OperatorLog } from "../../common/logger.js";
import { announce, type ExternalChange } from "../external-changes.js";
import type { NamespaceView, NetlinkBackend } from "./backend.js";
import { networkOf, overlaps } from "./cidr.js";
import type { LedgerRow } from "./ledger.js";
import type { Ownership } from "./ownership.js";
import { remoteInfo, setSteps } from "./remote-parts.js";
import type { RemoteSpec } from "./remote-spec.js";
import { DEFAULT_LIKE } from "./rules-addresses.js";
import { remotesOf } from "./rules-remotes.js";

export interface RestoreRemotesOptions {
  readonly logger: OperatorLog;
  report(event: ExternalChange): void;
}

/** Compares the recorded remote hosts with the namespace, and sets those again that are incomplete, of links that are up. Never rejects. */
export async function restoreRemotes(
  ownership: Ownership,
  backend: NetlinkBackend,
  options: RestoreRemotesOptions,
): Promise<void> {
  try {
    await restore(ownership, backend, options);
  } catch (error) {
    options.logger.error({ err: error }, "netlink: the remote hosts of vxlans could not be compared with the ledger");
  }
}

async function restore(
  ownership: Ownership,
  backend: NetlinkBackend,
  { logger, report }: RestoreRemotesOptions,
): Promise<void> {
  const rows = ownership.all().filter((row) => remotesOf(row).length > 0);
  if (rows.length === 0) return;
  const view = await backend.look({ routes: true, remotes: true });
  const broken = rows.flatMap((row) => {
    const link = view.links.get(row.name);
    if (link === undefined || !link.up || !ownership.isSame(row, link)) return [];
    return remotesOf(row)
      .filter((remote) => !remoteInfo(row.name, remote, view).complete)
      .map((remote) => ({ row, remote, taken: routedElsewhere(row, remote, view) }));
  });
  const restorable = broken.filter(({ taken }) => taken === undefined);
  const { failures } = await backend.apply(
    restorable.map(({ row, remote }) => setSteps(row.name, remote, undefined, view)),
  );
  for (const [index, { row, remote }] of restorable.entries()) {
    const words = failures[index]?.words;
    if (words === undefined) {
      const detail = `remote ${remote.host} of link "${row.name}" of plugin "${row.plugin}" had been changed by another program or a crash, and is set again`;
      announce("netlink", { event: "link-restored", plugin: row.plugin, detail }, { logger, report });
    } else stuck(row, remote, words, logger);
  }
  for (const { row, remote, taken } of broken) {
    if (taken !== undefined) stuck(row, remote, `${taken} is routed elsewhere now`, logger);
  }
}

/** Returns a network that overlaps one of the remote's, and that the machine or another link has a route to: it must not be replaced. */
function routedElsewhere(row: LedgerRow, remote: RemoteSpec, view: NamespaceView): string | undefined {
  return view.routes.find(({ dev, destination }) => {
    const network = networkOf(destination);
    if (dev === row.name || network.prefix < DEFAULT_LIKE) return false;
    return remote.routes.some((one) => overlaps(networkOf(one.destination), network));
  })?.destination;
}

function stuck(row: LedgerRow, remote: RemoteSpec, words: string, logger: OperatorLog): void {
  const { plugin, name } = row;
  logger.error(
    { plugin, link: name },
    `netlink: remote ${remote.host} of link "${name}" of plugin "${plugin}" is incomplete and cannot be set again: ${words}`,
  );
}

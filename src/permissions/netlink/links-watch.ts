/** Watches a namespace for changes that other programs make to our links, or to routes and forwarding. */
import type { OperatorLog } from "../../common/logger.js";
import { WATCH } from "../limits.js";
import { PollScheduler } from "../poll-scheduler.js";
import type { NetlinkBackend } from "./backend.js";
import type { Ownership } from "./ownership.js";
import { remotesOf } from "./rules-remotes.js";

/** What has changed in the namespace. */
export type NamespaceChange = "links" | "routes" | "forwarding";

export interface LinksWatchOptions {
  readonly backend: NetlinkBackend;
  readonly ownership: Ownership;
  readonly logger: OperatorLog;
  /** Compares links with the ledger, and restores. Never rejects. */
  restore(): Promise<void>;
  /** Called with every change, after links have been restored. */
  changed(what: NamespaceChange): void;
}

export function watchNamespace({ backend, ownership, logger, restore, changed }: LinksWatchOptions): PollScheduler {
  const scheduler = new PollScheduler({
    what: "netlink",
    logger,
    subscribe: (blind) =>
      backend.watch({
        link: (ifindex, name, deleted) => {
          const own = ownership.all().find((row) => row.ifindex === ifindex && row.moved === undefined);
          // Only deletions and new names matter; a bridge's ports cause many other notifications.
          if (own && (deleted || own.name !== name)) scheduler.pollIn(WATCH.gatherMs);
        },
        routes: () => {
          // A remote host's route may have gone; the host's own changes bring it here too, and then nothing is missing.
          if (ownership.all().some((row) => remotesOf(row).length > 0)) scheduler.pollIn(WATCH.gatherMs);
          changed("routes");
        },
        forwarding: () => changed("forwarding"),
        blind,
      }),
    async poll() {
      await restore();
      changed("links");
    },
  });
  return scheduler;
}

/** Whether others may have done something to our links, or to what is around them. */
import type { OperatorLog } from "../../common/logger.js";
import { WATCH } from "../limits.js";
import { PollScheduler } from "../poll-scheduler.js";
import type { NetlinkBackend } from "./backend.js";
import type { LinkWatch } from "./link-events.js";
import type { Ownership } from "./ownership.js";

/** What has changed in the namespace. */
export type NamespaceChange = "links" | "routes" | "forwarding";

export interface LinksWatchOptions {
  readonly backend: NetlinkBackend;
  readonly ownership: Ownership;
  readonly logger: OperatorLog;
  /** Looks for strays. Never rejects. */
  look(): Promise<void>;
  /** Tells whoever observes the namespace. */
  tell(what: NamespaceChange): void;
}

export class LinksWatch {
  readonly #options: LinksWatchOptions;
  readonly #looking: PollScheduler;
  #events: LinkWatch | undefined;

  constructor(options: LinksWatchOptions) {
    this.#options = options;
    this.#looking = new PollScheduler({
      what: "netlink",
      logger: options.logger,
      told: () => this.#events?.alive === true,
      async look() {
        await options.look();
        options.tell("links");
      },
    });
  }

  /** Begins, where it has not. */
  start(): void {
    if (this.#looking.started) return;
    const { backend, ownership, tell } = this.#options;
    this.#events = backend.watch({
      link: (ifindex, name, deleted) => {
        const own = ownership.all().find((row) => row.ifindex === ifindex && row.moved === undefined);
        // Of what is ours and keeps its name, nothing is of interest; ports of a bridge say much.
        if (own && (deleted || own.name !== name)) this.later(WATCH.gatherMs);
      },
      routes: () => tell("routes"),
      forwarding: () => tell("forwarding"),
      blind: (why) => this.#looking.blind(why),
    });
    this.#looking.start();
  }

  later(ms: number): void {
    this.#looking.later(ms);
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#looking.stop();
    const events = this.#events;
    this.#events = undefined;
    await events?.stop();
  }
}

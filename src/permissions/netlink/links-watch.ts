/** When our links are looked at for what others may have done to them: soon after a sign of it. */
import { WATCH } from "../../protocol/limits.js";
import type { NetlinkBackend } from "./backend.js";
import type { NetlinkLogger } from "./hub.js";
import type { LinkWatch } from "./link-events.js";
import type { Ownership } from "./ownership.js";

/** What has changed in the namespace. */
export type NamespaceChange = "links" | "routes" | "forwarding";

export interface LinksWatchOptions {
  readonly backend: NetlinkBackend;
  readonly ownership: Ownership;
  readonly logger: NetlinkLogger;
  /** Looks for strays. Never rejects. */
  look(): Promise<void>;
  /** Tells whoever observes the namespace. */
  tell(what: NamespaceChange): void;
}

export class LinksWatch {
  readonly #options: LinksWatchOptions;
  #events: LinkWatch | undefined;
  #soon: NodeJS.Timeout | undefined;
  #slow: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #said = false;

  constructor(options: LinksWatchOptions) {
    this.#options = options;
  }

  /** Begins, where it has not. */
  start(): void {
    if (this.#slow !== undefined) return;
    const { backend, ownership, tell } = this.#options;
    this.#events = backend.watch({
      link: (ifindex, name, deleted) => {
        const own = ownership.all().find((row) => row.ifindex === ifindex && row.moved === undefined);
        // Of what is ours and keeps its name, nothing is of interest; ports of a bridge say much.
        if (own && (deleted || own.name !== name)) this.later(WATCH.gatherMs);
      },
      routes: () => tell("routes"),
      forwarding: () => tell("forwarding"),
      blind: (why) => this.#blind(why),
    });
    this.#arm();
  }

  later(ms: number): void {
    if (this.#slow === undefined) return;
    if (this.#looking) this.#again = true;
    else this.#soon ??= setTimeout(() => void this.#look(), ms).unref();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#slow);
    clearTimeout(this.#soon);
    this.#slow = undefined;
    this.#soon = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.stop();
  }

  #arm(): void {
    const ms = this.#events?.alive === true ? WATCH.slowMs : WATCH.blindMs;
    this.#slow = setTimeout(() => {
      this.#arm();
      this.later(0);
    }, ms).unref();
  }

  async #look(): Promise<void> {
    this.#soon = undefined;
    this.#looking = true;
    await this.#options.look();
    this.#options.tell("links");
    this.#looking = false;
    if (!this.#again) return;
    this.#again = false;
    this.later(WATCH.gapMs);
  }

  #blind(why: string): void {
    if (this.#said) return;
    this.#said = true;
    const words = `changes of others are looked for every ${WATCH.blindMs / 1000} s, since nothing tells of them: ${why}`;
    this.#options.logger.warn({}, `netlink: ${words}`);
  }
}

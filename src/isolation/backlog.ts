/** What waits for the workers of one host process that do not read: limited for each of them, and for all together. */
import { WALLS } from "./limits.js";
import type { ProcessLink } from "./process-link.js";

const WHY = "it does not read what it is sent";

export class Backlog {
  readonly #links: () => Iterable<ProcessLink>;

  /** `links`: the process's workers. */
  constructor(links: () => Iterable<ProcessLink>) {
    this.#links = links;
  }

  /** Called before each frame to `link`. Terminates it if too much waits for it; if too much waits for all, the one with the most. */
  check(link: ProcessLink): void {
    const { unread } = link;
    if (unread > WALLS.unreadBytesPerWorker) link.fail(WHY);
    else if (unread > WALLS.unreadBytesCounted) this.#checkAll();
  }

  #checkAll(): void {
    let all = 0;
    let most: ProcessLink | undefined;
    for (const link of this.#links()) {
      all += link.unread;
      if (most === undefined || link.unread > most.unread) most = link;
    }
    if (all > WALLS.unreadBytes) most?.fail(WHY);
  }
}

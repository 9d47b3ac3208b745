/** How many clients are served at a time: so many a port, so many in all, and a full house takes from the port that has most. */

/** One client of a port, which can be sent away. */
export interface Client {
  end(): void;
}

/** The clients of one port, the one that waits longest first. */
export type Group = Set<Client>;

export class Seats {
  readonly #perPort: number;
  readonly #all: number;
  readonly #groups = new Set<Group>();
  #count = 0;

  constructor(perPort: number, all: number) {
    this.#perPort = perPort;
    this.#all = all;
  }

  /** A port of its own. */
  open(): Group {
    const group: Group = new Set();
    this.#groups.add(group);
    return group;
  }

  /** Sends a port's clients away. */
  close(group: Group): void {
    for (const client of [...group]) client.end();
    this.#groups.delete(group);
  }

  /**
   * Makes room for one more client; false where there is none. `evict`: a full port gives up its own oldest client; otherwise it
   * refuses the new one, so that a flood ends nobody's connection on that port.
   */
  room(group: Group, evict: boolean): boolean {
    if (group.size >= this.#perPort) return evict && this.#endOldest(group);
    if (this.#count < this.#all) return true;
    const largest = [...this.#groups].reduce((most, one) => (one.size > most.size ? one : most), group);
    return largest.size > group.size + 1 ? this.#endOldest(largest) : evict && this.#endOldest(group);
  }

  add(group: Group, client: Client): void {
    if (group.has(client)) return;
    group.add(client);
    this.#count++;
  }

  /** Puts a client that was just heard of last in its port's line. */
  touch(group: Group, client: Client): void {
    if (group.delete(client)) group.add(client);
  }

  remove(group: Group, client: Client): void {
    if (group.delete(client)) this.#count--;
  }

  /** The client removes itself as it ends. */
  #endOldest(group: Group): boolean {
    const [oldest] = group;
    oldest?.end();
    return oldest !== undefined;
  }
}

/** Limits clients per port and in all. When the total is reached, the port with most clients loses its oldest one. */

/** One client of a port. */
export interface Client {
  end(): void;
}

/** The clients of one port, the one idle longest first. */
export type Group = Set<Client>;

export class ClientQuota {
  readonly #perPort: number;
  readonly #all: number;
  readonly #groups = new Set<Group>();
  #count = 0;

  constructor(perPort: number, all: number) {
    this.#perPort = perPort;
    this.#all = all;
  }

  /** Adds a port. */
  open(): Group {
    const group: Group = new Set();
    this.#groups.add(group);
    return group;
  }

  /** Removes a port, and ends its clients. */
  close(group: Group): void {
    for (const client of [...group]) client.end();
    this.#groups.delete(group);
  }

  /**
   * Makes room for one more client; returns false if there is none. `evict`: a full port evicts its oldest client; otherwise it refuses
   * the new one, so that a flood does not end existing connections on that port.
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

  /** Moves an active client to the end of its port's list. */
  touch(group: Group, client: Client): void {
    if (group.delete(client)) group.add(client);
  }

  remove(group: Group, client: Client): void {
    if (group.delete(client)) this.#count--;
  }

  /** Ends the oldest client, which removes itself as it ends. */
  #endOldest(group: Group): boolean {
    const [oldest] = group;
    oldest?.end();
    return oldest !== undefined;
  }
}

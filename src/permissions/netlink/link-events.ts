/** How a namespace tells of changes of its links, default routes and forwarding, whoever made them. */

export interface LinkEvents {
  /** A link has come, gone, or changed in some way. */
  link(ifindex: number, name: string, deleted: boolean): void;
  /** A default route has come or gone. */
  routes(): void;
  /** Forwarding was switched off. */
  forwarding(): void;
  /** Nothing is told any more; it is tried again. `why`: in words. */
  blind(why: string): void;
}

/** What tells of them, until it is stopped. */
export interface LinkWatch {
  /** False while changes can pass unseen. */
  readonly alive: boolean;
  stop(): Promise<void>;
}

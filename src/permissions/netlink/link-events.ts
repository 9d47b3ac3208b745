/** Notifications of changes to a namespace's links, default routes and forwarding, by any program. */
export interface LinkEvents {
  /** A link has come, gone, or changed in some way. */
  link(ifindex: number, name: string, deleted: boolean): void;
  /** A default route has come or gone, or a rule of policy routing for a link has gone. */
  routes(): void;
  /** Forwarding was switched off. */
  forwarding(): void;
  /** Notifications have stopped; the monitor tries to get them back. `why`: in words. */
  blind(why: string): void;
}

/** What a platform passes to attach a sandbox, and what it gets back. Types only. */
/** One link of an attached sandbox. */
export interface AttachedLink {
  /** The interface's id. */
  readonly id: number;
  /** Its name outside the sandbox. */
  readonly srcName: string;
  /** Its name inside the sandbox: the driver's `dstPrefix` and the lowest number that was free. */
  readonly name: string;
}

/** A sandbox that has been attached. */
export interface AttachedSandbox {
  readonly sandbox: string;
  readonly links: readonly AttachedLink[];
  /** The default gateways that were set; "" where the driver gave none, or the sandbox already had one of that family. */
  readonly gateway: string;
  readonly gatewayIPv6: string;
  /**
   * Moves the links back under their own names, down and without addresses, so that the driver can delete them. A link
   * or a namespace that is gone is not an error, and a second call is harmless. Rejects with `ERR_SANDBOX_FAILED`, and
   * may then be tried again.
   */
  detach(): Promise<void>;
}

/** Argument of `host.attach`. */
export interface AttachRequest {
  /** The network type. */
  readonly type: string;
  readonly nid: string;
  readonly eid: string;
  /** The sandbox's network namespace, a name or a path. Default: the sandbox key the endpoint was joined with. */
  readonly sandbox?: string | undefined;
}

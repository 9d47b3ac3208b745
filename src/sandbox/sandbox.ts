/** What a platform passes to attach a sandbox, and what it gets back. Types only. */
/** One link of an attached sandbox. */
export interface AttachedLink {
  /** The interface's id. */
  readonly id: number;
  /** Its name outside the sandbox. */
  readonly srcName: string;
  /** Its name inside the sandbox: the one asked for, or the driver's `dstPrefix` and the lowest number that was free. */
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
  /**
   * The name of the endpoint's first link inside the sandbox, exactly. Default: the driver's `dstPrefix` and the lowest free number. A
   * name that is taken or cannot be a link's is `ERR_INTERFACE_NAME`.
   */
  readonly name?: string | undefined;
  /** Routes to set besides the driver's; `via` must be reachable through the endpoint. */
  readonly routes?: readonly SandboxRoute[] | undefined;
  /** False: sets no default route, although the driver gave a gateway. Default: true. */
  readonly defaultRoute?: boolean | undefined;
}

/** A route in CIDR form, and its next hop. */
export interface SandboxRoute {
  readonly destination: string;
  readonly via: string;
}

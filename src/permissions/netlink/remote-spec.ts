/** The remote hosts of a vxlan as a plugin sets them, and as they are described to it. Types only. */

/** A network behind a remote host, and the host's own address in it. */
export interface RemoteRoute {
  /** CIDR form. */
  readonly destination: string;
  /** The address of the remote host's vxlan; in `destination`. */
  readonly via: string;
}

/** What `setRemote` takes: a host at the other end of a vxlan. */
export interface RemoteSpec {
  /** Its address in the network that carries the tunnel; identifies it. */
  readonly host: string;
  /** The MAC address of its vxlan. */
  readonly mac: string;
  /** One per address family is usual. */
  readonly routes: readonly RemoteRoute[];
}

/** What `remotes()` returns for a host. */
export interface RemoteInfo extends RemoteSpec {
  /** False if a route, neighbour or fdb entry of it is missing or differs: set it again. */
  readonly complete: boolean;
}

/** What a confined bridge was refused lately, by source and destination. */
export interface RefusedFlow {
  readonly bridge: string;
  /** The sender's address on the bridge. */
  readonly from: string;
  readonly to: string;
  /** As nftables names it: `tcp`, `udp`, `icmp`, `ipv6-icmp`, or a number. */
  readonly protocol: string;
  /** 0 for a protocol without ports. */
  readonly port: number;
  /** A lower bound since the flow was first seen; a flow is forgotten `FIREWALL.refusedSeconds` after its last packet. */
  readonly packets: number;
}

/** What is asked of ours and of every peer: `createEndpoint` with 64-character ids, one interface and a port map. */
const id = (n: number): string => n.toString(16).padStart(64, "0");

export interface Request {
  readonly nid: string;
  readonly eid: string;
  readonly options: { readonly [key: string]: unknown };
}

export const NETWORK: string = id(1);

/** The n-th request; no two have the same endpoint. */
export function request(n: number): Request {
  return {
    nid: NETWORK,
    eid: id(n + 2),
    options: {
      "com.docker.network.endpoint.exposedports": [{ Proto: 6, Port: 8080 }],
      "com.docker.network.portmap": [
        { Proto: 6, IP: "", Port: 80, HostIP: "0.0.0.0", HostPort: 8080, HostPortEnd: 8080 },
      ],
    },
  };
}

/** What a peer answers: the interface it made. */
export interface Answer {
  readonly id: number;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export const ANSWER: Answer = { id: 0, mac: "02:42:0a:01:00:02", ipv4: "10.1.0.2/16", ipv6: "" };

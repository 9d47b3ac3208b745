/** Resolves names for a client: a container gets only the names on its own networks. Pure. */
import { NAMES } from "./limits.js";

export interface NamedContainer {
  readonly id: string;
  readonly names: readonly string[];
  /** Without prefix lengths. */
  readonly addresses: readonly string[];
}

export interface NamedNetwork {
  readonly id: string;
  /** The addresses at which its containers ask. */
  readonly listen: readonly string[];
  /** Servers for all other names; none: they do not exist. `undefined`: the machine's own. */
  readonly forwarders: readonly string[] | undefined;
  readonly containers: readonly NamedContainer[];
}

/** A question, as far as it is answered here. */
export interface Question {
  readonly name: string;
  readonly type: string;
}

export interface ZoneAnswer {
  readonly name: string;
  readonly type: "A" | "AAAA" | "PTR";
  readonly ttl: number;
  readonly data: string;
}

/** What becomes of a query. */
export type Verdict =
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" }
  | { readonly kind: "answers"; readonly answers: readonly ZoneAnswer[] }
  | { readonly kind: "forward"; readonly to: readonly string[] | undefined };

/** Podman's own domain: `web` and `web.dns.podman` are the same. */
export const DOMAIN = "dns.podman";

export class Zone {
  readonly #networks: readonly NamedNetwork[];
  readonly #byAddress = new Map<string, NamedNetwork>();

  constructor(networks: readonly NamedNetwork[]) {
    this.#networks = networks;
    for (const network of networks) for (const address of network.listen) this.#byAddress.set(address, network);
  }

  /** `at`: the address that was asked. `from`: the client's. */
  judge(at: string, from: string, { name, type }: Question): Verdict {
    const network = this.#byAddress.get(at);
    const client = network?.containers.find(({ addresses }) => addresses.includes(from));
    if (!network || !client) return { kind: "refused" };
    const visible = this.#networks.filter((one) => one.containers.some(({ id }) => id === client.id));
    const all = visible.flatMap(({ containers }) => containers);
    const asked = name.toLowerCase().replace(/\.$/, "");
    const address = addressOf(asked);
    if (address !== undefined) {
      const owner = all.find(({ addresses }) => addresses.includes(address));
      if (owner) return { kind: "answers", answers: type === "PTR" ? pointer(name, owner) : [] };
    }
    const own = asked.endsWith(`.${DOMAIN}`) ? asked.slice(0, -DOMAIN.length - 1) : asked;
    const named = all.filter(({ names }) => names.includes(own));
    if (named.length > 0) return { kind: "answers", answers: addresses(name, type, named) };
    if (own !== asked || (network.forwarders && network.forwarders.length === 0)) return { kind: "unknown" };
    return { kind: "forward", to: network.forwarders };
  }
}

function addresses(name: string, type: string, containers: readonly NamedContainer[]): readonly ZoneAnswer[] {
  if (type !== "A" && type !== "AAAA") return [];
  const found = containers.flatMap((one) => one.addresses).filter((one) => one.includes(":") === (type === "AAAA"));
  return found.slice(0, NAMES.addresses).map((data) => ({ name, type, ttl: NAMES.ttlS, data }));
}

function pointer(name: string, { names }: NamedContainer): readonly ZoneAnswer[] {
  return names.slice(0, 1).map((data) => ({ name, type: "PTR", ttl: NAMES.ttlS, data }));
}

/** Reads `2.1.64.10.in-addr.arpa` and the like; returns the canonical address. */
function addressOf(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four) return four.slice(1).reverse().join(".");
  const six = /^((?:[\da-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (six === undefined) return undefined;
  const groups = six.split(".").reverse().join("").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** What a network's containers may reach: names, with ports, and networks, with ports. */
import { fail, quote } from "bulkhead/plugin";
import { type CIDR, formatCIDR, networkOf, parseAddress, parseCIDR } from "bulkhead/plugin/addressing";
import { EGRESS } from "./limits.ts";
import { nameOf } from "./message.ts";

export type Protocol = "tcp" | "udp";

/** Ports of one protocol. */
export interface Ports {
  readonly protocol: Protocol;
  readonly port: number;
  /** The same as `port`, or the last of a range. */
  readonly lastPort: number;
}

/** An address or a network that may be reached. */
export interface AllowedNetwork extends Ports {
  /** As the firewall takes it: an address, or a network in CIDR form. */
  readonly to: string;
  readonly network: CIDR;
}

/** Ports by name: exact names, and names of wildcards, which stand for every name below them. */
export class AllowList {
  readonly networks: readonly AllowedNetwork[];
  readonly #names: ReadonlyMap<string, readonly Ports[]>;
  readonly #below: ReadonlyMap<string, readonly Ports[]>;

  /** `entries`: `api.example.com:443`, `*.example.com:80-81/tcp`, `10.9.0.0/16:5432`, `[2001:db8::/32]:443`. Throws BadRequest. */
  constructor(entries: readonly string[]) {
    if (entries.length > EGRESS.entries)
      fail("BadRequest", `${entries.length} entries are allowed; a network has at most ${EGRESS.entries}`);
    const names = new Map<string, Ports[]>();
    const below = new Map<string, Ports[]>();
    const networks: AllowedNetwork[] = [];
    for (const entry of entries) {
      const { target, ports } = split(entry);
      const network = networkIn(entry, target);
      if (network) {
        networks.push({
          ...ports,
          network,
          to: network.prefix === width(network) ? withoutPrefix(network) : formatCIDR(network),
        });
        continue;
      }
      if (ports.lastPort - ports.port >= EGRESS.portsPerName)
        fail("BadRequest", `allow ${quote(entry)}: a name has at most ${EGRESS.portsPerName} ports in an entry`);
      const wildcard = target.startsWith("*.");
      const name = nameOf(wildcard ? target.slice(2) : target);
      if (name === undefined || !name.includes(".") || /^[\d.]+$/.test(name))
        fail(
          "BadRequest",
          `allow ${quote(entry)}: ${quote(target)} is neither a name with a dot, as api.example.com or *.example.com, nor an address or a network, as 10.9.0.0/16`,
        );
      const into = wildcard ? below : names;
      into.set(name, [...(into.get(name) ?? []), ports]);
    }
    this.networks = networks;
    this.#names = names;
    this.#below = below;
  }

  /** Returns the ports that are allowed for a name; none for one that is not listed. A wildcard is for whole labels below its name. */
  portsOf(name: string): readonly Ports[] {
    const found = [...(this.#names.get(name) ?? [])];
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1))
      found.push(...(this.#below.get(name.slice(dot + 1)) ?? []));
    // A name may be listed twice, by itself and by a wildcard too.
    return [...new Map(found.map((ports) => [`${ports.protocol} ${ports.port}-${ports.lastPort}`, ports])).values()];
  }

  /** True if a listed network has the address. */
  lists(ip: string): boolean {
    const address = parseAddress(ip);
    return address !== undefined && this.networks.some(({ network }) => covers(network, address));
  }
}

/** Splits the value of an option into entries. Throws BadRequest. */
export function entriesOf(key: string, value: unknown): readonly string[] {
  if (value === undefined || value === null || value === "") return [];
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.flatMap((text) => {
    if (typeof text !== "string" || text.length > EGRESS.listChars)
      return fail("BadRequest", `option ${key} must be entries with commas between them, not ${quote(text as string)}`);
    return text
      .split(/[\s,]+/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "");
  });
}

/** True if a network has an address. */
export function covers(
  { family, bits, prefix }: CIDR,
  address: { readonly family: number; readonly bits: bigint },
): boolean {
  const shift = BigInt(width({ family }) - prefix);
  return family === address.family && bits >> shift === address.bits >> shift;
}

function split(entry: string): { readonly target: string; readonly ports: Ports } {
  const [, bracketed, plain, from = "", to = from, protocol = "tcp"] =
    /^(?:\[([^\]]+)\]|([^\s:[\]]+)):(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp))?$/.exec(entry) ?? [];
  const target = bracketed ?? plain;
  const [port, lastPort] = [Number(from), Number(to)];
  if (target === undefined || port < 1 || lastPort > 65_535 || lastPort < port)
    return fail(
      "BadRequest",
      `allow ${quote(entry)} must be a name or a network with ports, as api.example.com:443, *.example.com:80, 10.9.0.0/16:5432/tcp, [2001:db8::/32]:443 or 192.0.2.7:123/udp`,
    );
  return { target, ports: { protocol: protocol as Protocol, port, lastPort } };
}

function networkIn(entry: string, target: string): CIDR | undefined {
  const address = parseAddress(target);
  if (address) return { ...address, prefix: width(address) };
  const cidr = parseCIDR(target);
  if (!cidr) return undefined;
  const network = networkOf(cidr);
  if (network.bits !== cidr.bits)
    fail("BadRequest", `allow ${quote(entry)}: ${quote(target)} has host bits set; write ${formatCIDR(network)}`);
  return network;
}

function withoutPrefix(network: CIDR): string {
  return formatCIDR(network).split("/")[0] ?? "";
}

function width({ family }: { readonly family: number }): number {
  return family === 4 ? 32 : 128;
}

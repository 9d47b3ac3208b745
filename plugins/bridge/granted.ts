/** What a user is told whose network's pool is not granted: what is, and what to write instead. */
import { formatAddress, parseCIDR } from "./addresses.ts";
import { forbidden } from "./errors.ts";

/** Prefix lengths of a network in the examples. */
const SIZES = { 4: 24, 6: 64 } as const;

/** Throws Forbidden for a refusal of `netlink`'s rule "subnet"; returns for every other error. */
export function explainNotGranted(error: unknown, address: string): void {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_NETLINK_REFUSED") return;
  const granted = /refused by rule "subnet": .* is not within ([0-9a-f.:/, ]+)$/.exec(error.message)?.[1];
  if (granted === undefined) return;
  const pool = networkOf(address) ?? address;
  const family = address.includes(":") ? 6 : 4;
  const grants = granted.split(", ").flatMap((text) => {
    const cidr = parseCIDR(text);
    return cidr?.family === family ? [{ text, ...cidr }] : [];
  });
  const [first] = grants;
  const begin = `pool ${pool} is not granted to this plugin (granted: ${granted})`;
  if (first === undefined)
    forbidden(`${begin}: no IPv${family} network is; grant one in the policy, under netlink.subnets`);
  const size = Math.max(SIZES[family], first.prefix);
  // Some engines make a list of all networks of a base: 2^16 of them are enough.
  const base = `${formatAddress(first)}/${Math.max(first.prefix, size - 16)}`;
  const engine = JSON.stringify({ "default-address-pools": [{ base, size }] });
  const example = `${formatAddress(first)}/${size}`;
  forbidden(
    `${begin}: name one that is, as --subnet ${example}, or have the engine choose from it by ${engine} in its daemon.json`,
  );
}

/** `10.64.1.1/24`: `10.64.1.0/24`. */
function networkOf(address: string): string | undefined {
  const cidr = parseCIDR(address);
  if (cidr === undefined) return undefined;
  const shift = BigInt((cidr.family === 4 ? 32 : 128) - cidr.prefix);
  return `${formatAddress({ family: cidr.family, bits: (cidr.bits >> shift) << shift })}/${cidr.prefix}`;
}

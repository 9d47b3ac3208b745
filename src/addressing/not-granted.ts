/** The message for a network whose pool is not granted: what is granted, and what to write instead. */
import { fail } from "../driverapi/fail.js";
import { formatAddress, formatCIDR, networkOf, parseCIDR } from "./address.js";

/** Prefix lengths of the networks that the message proposes. */
const SIZES = { 4: 24, 6: 64 } as const;

/** Throws Forbidden for a refusal of `netlink`'s rule "subnet"; returns for every other error. */
export function explainNotGranted(error: unknown, address: string): void {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_NETLINK_REFUSED") return;
  const granted = /refused by rule "subnet": .* is not within ([0-9a-f.:/, ]+)$/.exec(error.message)?.[1];
  if (granted === undefined) return;
  const wanted = parseCIDR(address);
  if (wanted === undefined) return;
  const { family } = wanted;
  const grants = granted.split(", ").flatMap((text) => {
    const cidr = parseCIDR(text);
    return cidr?.family === family ? [{ text, ...cidr }] : [];
  });
  const [first] = grants;
  const begin = `pool ${formatCIDR(networkOf(wanted))} is not granted to this plugin (granted: ${granted})`;
  if (first === undefined)
    fail("Forbidden", `${begin}: no IPv${family} network is; grant one in the policy, under netlink.subnets`);
  const size = Math.max(SIZES[family], first.prefix);
  // Some engines list every network of a base: it has at most 2^16.
  const base = `${formatAddress(first)}/${Math.max(first.prefix, size - 16)}`;
  const engine = JSON.stringify({ "default-address-pools": [{ base, size }] });
  const example = `${formatAddress(first)}/${size}`;
  fail(
    "Forbidden",
    `${begin}: name one that is, as --subnet ${example}, or have the engine choose from it by ${engine} in its daemon.json`,
  );
}

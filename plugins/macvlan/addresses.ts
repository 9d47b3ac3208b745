/** IP addresses as numbers, in and out of text. */
export type Family = 4 | 6;

/** An address: its family and its bits. */
export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

/** Bits an address has. */
export function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** An address in text, without prefix length; undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  const bits = text.includes(":") ? parse6(text) : parse4(text);
  return bits === undefined ? undefined : { family: text.includes(":") ? 6 : 4, bits };
}

/** `10.1.0.2/24` in its two parts; undefined for what is not an address with a prefix length. */
export function parseCIDR(text: string): (Address & { readonly prefix: number }) | undefined {
  const found = /^(.+)\/(\d{1,3})$/.exec(text);
  const address = parseAddress(found?.[1] ?? "");
  const prefix = Number(found?.[2]);
  return address && prefix <= width(address.family) ? { ...address, prefix } : undefined;
}

/** An address's text in canonical form. */
export function formatAddress({ family, bits }: Address): string {
  return family === 4 ? [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".") : format6(bits);
}

function parse4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

function parse6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** As RFC 5952 says: the longest run of two or more zero groups, the first of equals, is `::`. */
function format6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(16 * (7 - index))) & 0xffffn));
  let [start, length] = [0, 0];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const words = groups.map((group) => group.toString(16));
  if (length < 2) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + length).join(":")}`;
}

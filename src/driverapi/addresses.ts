/**
 * Parses addresses strictly into one canonical form, so that equal addresses are equal strings: IPv4 as four decimal numbers without
 * leading zeros, IPv6 as in RFC 5952, without a zone. IPv4-mapped IPv6 addresses (`::ffff:10.0.0.1`) are refused, since a second
 * spelling could evade a rule. "" is the seed's zero value (a nil IP, IPNet or MAC).
 */
import ipaddr from "ipaddr.js";
import { quote } from "../common/quote.js";
import { DriverError } from "./errors.js";

/** An IP family: 4 or 6. */
export type Family = 4 | 6;

/** Longer than any address in any accepted form; checked before the text is parsed. */
const LONGEST = 64;

const V4 = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const V6_SHAPE = /^[0-9a-f:]{2,39}$/i;
const PREFIX_LENGTH = /^(?:0|[1-9]\d{0,2})$/;
const MAC_CANONICAL = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const MAC_COLON = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;
const MAC_DASH = /^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/i;
const MAC_DOTTED = /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}$/i;

/** Canonical forms of IPv6 texts seen lately: parsing one costs microseconds, and a reply repeats them. */
const seenV6 = new Map<string, string>();
const SEEN_MOST = 1024;

/**
 * A MAC address of six bytes, in the forms Go's `net.ParseMAC` takes: `02:42:ac:11:00:02`, `02-42-ac-11-00-02`,
 * `0242.ac11.0002`; "" stays "". Returns lower case with colons. Throws `ERR_BAD_MAC`.
 */
export function parseMAC(value: unknown): string {
  if (value === "") return "";
  if (typeof value !== "string") throw badMAC(value);
  if (MAC_CANONICAL.test(value)) return value;
  if (MAC_COLON.test(value)) return value.toLowerCase();
  if (MAC_DASH.test(value)) return value.toLowerCase().replaceAll("-", ":");
  if (!MAC_DOTTED.test(value)) throw badMAC(value);
  const digits = value.toLowerCase().replaceAll(".", "");
  return (digits.match(/../g) ?? []).join(":");
}

/**
 * A plain IP address (`10.1.0.2`, `fd00::2`), of `family` if one is given; "" stays "".
 * Throws `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`.
 */
export function parseIP(value: unknown, family?: Family): string {
  if (value === "") return "";
  const text = addressText(value, "IP address");
  if (text.includes("/")) throw bad(value, "it must be a plain IP address, without a prefix length");
  const ip = canonicalIP(text, value);
  checkFamily(ip, family, value);
  return ip;
}

/**
 * An address with its prefix length (`10.1.0.2/24`), as Go's `net.IPNet` holds an interface's: host bits are kept.
 * Of `family` if one is given; "" stays "". Throws `ERR_BAD_ADDRESS`, `ERR_ADDRESS_FAMILY`.
 */
export function parseCIDR(value: unknown, family?: Family): string {
  if (value === "") return "";
  const text = addressText(value, "address in CIDR form");
  const slash = text.indexOf("/");
  if (slash < 0) throw bad(value, "it needs a prefix length, such as the /24 of 10.1.0.2/24");
  const ip = canonicalIP(text.slice(0, slash), value);
  const prefix = text.slice(slash + 1);
  const most = familyOf(ip) === 4 ? 32 : 128;
  if (!PREFIX_LENGTH.test(prefix) || Number(prefix) > most) {
    throw bad(value, `its prefix length must be a decimal number from 0 to ${most}`);
  }
  checkFamily(ip, family, value);
  return `${ip}/${prefix}`;
}

/**
 * A route's destination (`10.2.0.0/16`, `::/0`): a network, so its host bits are zero.
 * Throws `ERR_BAD_ADDRESS`, `ERR_ROUTE_HOST_BITS`.
 */
export function parseDestination(value: unknown): string {
  if (value === "") throw bad(value, "a route needs a destination, such as 10.2.0.0/16");
  const cidr = parseCIDR(value);
  const prefix = cidr.slice(cidr.indexOf("/"));
  const network = (familyOf(cidr) === 4 ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(cidr);
  const expected = `${network.toString()}${prefix}`;
  if (expected === cidr) return cidr;
  throw new DriverError(
    "ERR_ROUTE_HOST_BITS",
    `${quote(value)} is not a route destination: it has host bits set; write ${expected}`,
  );
}

/** Returns true for an IPv4 address in canonical form, without prefix length. */
export function isIPv4(text: string): boolean {
  return V4.test(text);
}

/** Returns the family of a canonical address, with or without prefix length. */
export function familyOf(canonical: string): Family {
  return canonical.includes(":") ? 6 : 4;
}

function addressText(value: unknown, what: string): string {
  if (typeof value !== "string")
    throw new DriverError("ERR_BAD_ADDRESS", `${quote(value)} is not a valid ${what}: it must be a string`);
  if (value.length > LONGEST) throw bad(value, `no address is longer than ${LONGEST} characters`);
  return value;
}

/** `whole` is what the caller gave, for the message. */
function canonicalIP(text: string, whole: unknown): string {
  if (isIPv4(text)) return text;
  if (!text.includes(":")) {
    throw bad(whole, "IPv4 is four decimal numbers from 0 to 255, without leading zeros, such as 10.1.0.2");
  }
  const seen = seenV6.get(text);
  if (seen !== undefined) return seen;
  const canonical = canonicalV6(text, whole);
  if (seenV6.size >= SEEN_MOST) seenV6.clear();
  seenV6.set(text, canonical);
  return canonical;
}

function canonicalV6(text: string, whole: unknown): string {
  if (text.includes("%"))
    throw bad(whole, "a zone (the part from % on) is meaningless on another machine; leave it out");
  const native = withoutDottedTail(text);
  if (native === undefined || !V6_SHAPE.test(native) || !ipaddr.IPv6.isValid(native)) {
    throw bad(
      whole,
      "IPv6 is eight groups of up to four hexadecimal digits, where :: may stand once for zeros, such as fd00::2",
    );
  }
  const ip = ipaddr.IPv6.parse(native);
  if (ip.isIPv4MappedAddress()) {
    throw bad(whole, `an IPv4-mapped address is not accepted; write ${ip.toIPv4Address().toString()}`);
  }
  return ip.toRFC5952String();
}

/** `64:ff9b::10.0.0.1` as `64:ff9b::a00:1`. ipaddr.js takes `::10.0.0.1` for a mapped address, so it never sees one. */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const colon = text.lastIndexOf(":");
  const tail = text.slice(colon + 1);
  if (!V4.test(tail)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
  return `${text.slice(0, colon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function checkFamily(canonical: string, family: Family | undefined, value: unknown): void {
  if (family === undefined || familyOf(canonical) === family) return;
  throw new DriverError(
    "ERR_ADDRESS_FAMILY",
    `${quote(value)} is IPv${10 - family}, but IPv${family} is asked for here`,
  );
}

function bad(value: unknown, rule: string): DriverError {
  return new DriverError("ERR_BAD_ADDRESS", `${quote(value)} is not an address that can be used here: ${rule}`);
}

function badMAC(value: unknown): DriverError {
  const rule = "it must be six bytes in hexadecimal, such as 02:42:ac:11:00:02";
  return new DriverError("ERR_BAD_MAC", `${quote(value)} is not a MAC address: ${rule}`);
}

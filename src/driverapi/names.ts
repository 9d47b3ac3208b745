/** Ids, network types, scopes and interface names. */

import { quote } from "../common/quote.js";
import { GlobalScope, LocalScope } from "./constants.js";
import { DriverError } from "./errors.js";
import type { Scope } from "./types.js";

const ID_BYTES = 256;
const TYPE_NAME_CHARS = 64;
/** Linux's IFNAMSIZ is 16, including the terminating zero. */
const INTERFACE_NAME_BYTES = 15;
/** Leaves room for a number of three digits. */
const INTERFACE_PREFIX_BYTES = 12;

const TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
/** Visible ASCII except `/`, `:` and `%`. The kernel refuses a byte 0xA0 as a space, so `à` is not a name either. */
const INTERFACE_NAME = /^[!-$&-.0-9;-~]+$/;

/** What an id identifies; for the message. */
export type IdOf = "network" | "endpoint" | "sandbox";

/**
 * Parses an id: opaque, 1 to 256 bytes of UTF-8. A lone surrogate is refused, because two such ids would become one when
 * written as UTF-8. Throws `ERR_BAD_ID`.
 */
export function parseId(value: unknown, what: IdOf): string {
  if (typeof value === "string" && value.length > 0 && value.length <= ID_BYTES) {
    const bytes = utf8Length(value);
    if (bytes !== undefined && bytes <= ID_BYTES) return value;
  }
  throw new DriverError(
    "ERR_BAD_ID",
    `${quote(value)} is not a ${what} id: a string of 1 to ${ID_BYTES} bytes is asked for`,
  );
}

/**
 * Parses a network type's name: letters, digits, `_` and `-`, at most 64, no `.` (libnetwork's registry refuses it).
 * Throws `ERR_TYPE_NAME`.
 */
export function parseTypeName(value: unknown): string {
  if (isTypeName(value)) return value;
  throw new DriverError("ERR_TYPE_NAME", notATypeName(value));
}

/** True for a network type's name. */
export function isTypeName(value: unknown): value is string {
  return typeof value === "string" && value.length <= TYPE_NAME_CHARS && TYPE_NAME.test(value);
}

/** Returns the message for a value that is not a network type's name. */
export function notATypeName(value: unknown): string {
  const rule = `1 to ${TYPE_NAME_CHARS} letters, digits, "_" or "-", beginning with a letter or digit, and no "."`;
  return `${quote(value)} is not a network type name: use ${rule}`;
}

/** Parses a capability's scope. Throws `ERR_BAD_CAPABILITY`. */
export function parseScope(value: unknown): Scope {
  if (value === LocalScope || value === GlobalScope) return value;
  throw new DriverError(
    "ERR_BAD_CAPABILITY",
    `${quote(value)} is not a scope: use "${LocalScope}" or "${GlobalScope}"`,
  );
}

/** Parses a Linux interface's name, 1 to 15 bytes (a join's `srcName`). Throws `ERR_INTERFACE_NAME`. */
export function parseInterfaceName(value: unknown): string {
  return interfaceName(value, "interface name", INTERFACE_NAME_BYTES);
}

/**
 * Parses the beginning of an interface's name, to which a number is added (a join's `dstPrefix`): 1 to 12 bytes.
 * Throws `ERR_INTERFACE_NAME`.
 */
export function parseInterfacePrefix(value: unknown): string {
  return interfaceName(value, "interface name prefix", INTERFACE_PREFIX_BYTES);
}

function interfaceName(value: unknown, what: string, most: number): string {
  if (
    typeof value === "string" &&
    value.length <= most &&
    INTERFACE_NAME.test(value) &&
    value !== "." &&
    value !== ".." &&
    !value.startsWith("-")
  ) {
    return value;
  }
  const rule = `1 to ${most} visible ASCII characters without "/", ":" and "%", not ".", "..", nor beginning with "-"`;
  throw new DriverError("ERR_INTERFACE_NAME", `${quote(value)} is not a valid ${what}: use ${rule}`);
}

/** Returns the bytes of `text` in UTF-8; undefined if it contains a lone surrogate, which has no UTF-8. */
export function utf8Length(text: string): number | undefined {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3;
    else {
      const next = text.charCodeAt(i + 1);
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return undefined;
      bytes += 4;
      i++;
    }
  }
  return bytes;
}

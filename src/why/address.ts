/** Addresses as `why` compares them. */
import { parseIP } from "../driverapi/addresses.js";

/** Returns an address in its canonical form, without a prefix length; undefined for anything else. */
export function canonicalIP(text: string): string | undefined {
  try {
    return parseIP(text.split("/", 1)[0] ?? "") || undefined;
  } catch {
    return undefined;
  }
}

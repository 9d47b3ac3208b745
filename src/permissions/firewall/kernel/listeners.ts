/** Reads listening sockets as `ss -Hlntu` prints them: `tcp LISTEN 0 511 127.0.0.1:8080 0.0.0.0:*`. */
import { parseIP } from "../../../driverapi/addresses.js";
import type { Listener } from "../backend.js";
import { PROTOCOLS } from "../rule.js";

/** Reads the lines; skips malformed ones. */
export function readListeners(printed: string): readonly Listener[] {
  return printed.split("\n").flatMap((line): readonly Listener[] => {
    const words = line.trim().split(/\s+/);
    const protocol = PROTOCOLS.find((one) => one === words[0]);
    // The first word that ends in a port; an address may name its link, `127.0.0.53%lo:53`.
    const [, address = "", port = ""] = /^(.+):(\d+)$/.exec(words.find((word) => /:\d+$/.test(word)) ?? "") ?? [];
    return protocol && port !== "" ? [{ protocol, ip: boundTo(address), port: Number(port) }] : [];
  });
}

/** Returns the address; undefined for a wildcard, and for an address that cannot be read, which is thus treated as taken. */
function boundTo(address: string): string | undefined {
  const bare = address.replace(/%[^\]]*/, "").replace(/^\[|\]$/g, "");
  const ip = bare.replace(/^::ffff:(?=\d+\.)/, "");
  if (ip === "*" || ip === "0.0.0.0" || ip === "::") return undefined;
  try {
    return parseIP(ip);
  } catch {
    return undefined;
  }
}

/** TCP addresses that the daemon listens on, and names in `Host` headers. */
import { isIP } from "node:net";

export interface TcpAddress {
  /** An IP address. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Reads `PORT`, `127.0.0.1:PORT` or `[::1]:PORT`; without an address it is 127.0.0.1. Returns undefined for anything else. */
export function tcpAddress(text: string): TcpAddress | undefined {
  const [, bracketed, plain, digits = ""] = /^(?:\[([\da-f:.]+)\]:|([\d.]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain ?? "127.0.0.1";
  const port = Number(digits);
  return digits !== "" && port <= 65_535 && isIP(host) !== 0 ? { host, port } : undefined;
}

/** Returns the HTTP URL of `path` at an address. */
export function httpUrl({ host, port }: TcpAddress, path: string): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}

/** Returns the name in a `Host` header, without its port and an IPv6 address's brackets. */
export function hostName(header = ""): string {
  return header.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** True for an address of 127.0.0.0/8 and ::1, in their usual forms. */
export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && (address.startsWith("127.") || address === "::1");
}

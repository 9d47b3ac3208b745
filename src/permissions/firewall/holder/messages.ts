/** Messages between a platform and its port holder: lines of JSON, orders on standard input, replies on standard output. */
import type { HostPort } from "../rule.js";

/** A port of the host to hold, and the target of what reaches it over loopback. */
export interface HeldPort {
  readonly protocol: "tcp" | "udp";
  /** Canonical; absent: the wildcard addresses of both families. */
  readonly hostIP?: string;
  readonly hostPort: number;
  readonly ip: string;
  readonly port: number;
  /** The port to bind in place of `hostPort`, on the loopback addresses alone. */
  readonly aside?: number;
}

/** An order. Its reply has the same `id`. */
export type Order =
  | { readonly id: number; readonly hold: HeldPort }
  | { readonly id: number; readonly release: HeldPort };

/** What a holder sends. `code`: the system's (`EADDRINUSE`) if `host` could not be bound. */
export type Answer =
  | { readonly ready: true }
  | { readonly log: string }
  | { readonly id: number; readonly code?: string; readonly host?: string };

/** Returns the port to hold for a rule; undefined for SCTP, which Node cannot bind. */
export function heldPort({ protocol, hostIP, hostPort, ip, port, aside }: HostPort): HeldPort | undefined {
  if (protocol === "sctp") return undefined;
  const optional = { ...(hostIP === undefined ? {} : { hostIP }), ...(aside === undefined ? {} : { aside }) };
  return { protocol, hostPort, ip, port, ...optional };
}

/** Returns the key of a held port. */
export function heldKey({ protocol, hostIP = "*", hostPort, ip, port, aside }: HeldPort): string {
  return `${protocol} ${hostIP} ${hostPort} ${ip} ${port}${aside === undefined ? "" : ` ${aside}`}`;
}

/** True for an address that only the machine itself can reach: 127.0.0.0/8 and ::1. */
export function isLoopback(ip: string | undefined): boolean {
  return ip !== undefined && (ip === "::1" || /^127(\.\d{1,3}){3}$/.test(ip));
}

/** Returns the loopback address of a family. */
export function loopback(six: boolean): string {
  return six ? "::1" : "127.0.0.1";
}

/** Returns the wildcard address of a family. */
export function wildcard(six: boolean): string {
  return six ? "::" : "0.0.0.0";
}

/** What a platform and its port holder say to each other: lines of JSON, orders on standard input, answers on standard output. */
import type { PublishSpec } from "../rule.js";

/** A port of the host's to hold, and where what reaches it over loopback goes. */
export interface HeldPort {
  readonly protocol: "tcp" | "udp";
  /** Canonical; absent: the wildcards of both families. */
  readonly hostIP?: string;
  readonly hostPort: number;
  readonly ip: string;
  readonly port: number;
}

/** An order. `id`: one per order; its answer carries it. */
export type Order =
  | { readonly id: number; readonly hold: HeldPort }
  | { readonly id: number; readonly release: HeldPort };

/** What a holder says. `code`: of the system (`EADDRINUSE`), where `host` could not be bound. */
export type Answer =
  | { readonly ready: true }
  | { readonly log: string }
  | { readonly id: number; readonly code?: string; readonly host?: string };

/** The port a rule wants held; undefined for SCTP, which Node cannot bind. */
export function heldPort({ protocol, hostIP, hostPort, ip, port }: PublishSpec): HeldPort | undefined {
  if (protocol === "sctp") return undefined;
  return { protocol, ...(hostIP === undefined ? {} : { hostIP }), hostPort, ip, port };
}

/** One text per held port. */
export function heldKey({ protocol, hostIP = "*", hostPort, ip, port }: HeldPort): string {
  return `${protocol} ${hostIP} ${hostPort} ${ip} ${port}`;
}

/** True for an address that only the machine itself reaches: 127.0.0.0/8 and ::1. */
export function isLoopback(ip: string | undefined): boolean {
  return ip !== undefined && (ip === "::1" || /^127(\.\d{1,3}){3}$/.test(ip));
}

/** The wildcard of a family. */
export function wildcard(six: boolean): string {
  return six ? "::" : "0.0.0.0";
}

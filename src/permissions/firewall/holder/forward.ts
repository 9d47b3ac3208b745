/** One bound socket that forwards what reaches it: TCP or UDP. */
import type { ClientQuota } from "./client-quota.js";

/** The destination: an address of a container. */
export interface Target {
  readonly ip: string;
  readonly port: number;
}

/** Options of both kinds. */
export interface ForwardOptions {
  readonly target: Target;
  readonly quota: ClientQuota;
  /** Called with faults that do not end the socket. The caller limits their rate. */
  log(text: string): void;
}

export interface Forward {
  /** Binds. Rejects with the system's error. */
  bind(host: string, port: number): Promise<void>;
  /** Changes the target of new connections and datagrams. */
  retarget(target: Target): void;
  /** Unbinds at once, and ends all connections. */
  close(): void;
}

/** Returns the system's code of an error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);
}

/** One bound socket that passes on what reaches it: TCP or UDP. */
import type { Seats } from "./seats.js";

/** Where it goes: an address of a container. */
export interface Target {
  readonly ip: string;
  readonly port: number;
}

/** What both kinds take. */
export interface ForwardOptions {
  readonly target: Target;
  readonly seats: Seats;
  /** For faults that end nothing; those who hear them bound how often they are told. */
  log(text: string): void;
}

export interface Forward {
  /** Binds. Rejects with the system's error. */
  bind(host: string, port: number): Promise<void>;
  /** From now on, to another target. */
  retarget(target: Target): void;
  /** Unbinds at once, and ends what is under way. */
  close(): void;
}

/** The system's word for an error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);
}

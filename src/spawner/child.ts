/** A process that the platform has started, itself or through its spawner. */
import type { Socket } from "node:net";

/** The platform's ends of its socket pairs, by descriptor. */
export type Streams = readonly (Socket | undefined)[];

/** What is reported of a process; nothing is reported before the call that starts it has returned. */
export interface ChildEvents {
  /** Called before anything runs in it. Not called for a process that was killed first. */
  started(streams: Streams): void;
  /** Called when it could not be started or killed. */
  failed(why: string): void;
  /** Called when it has ended: how, in words. */
  exited(how: string): void;
  /** Called when it has ended and all its streams have closed. */
  closed(): void;
}

export interface Child {
  /** Undefined until it is started. */
  readonly pid: number | undefined;
  /** Kills it (SIGKILL), and its whole group if `ChildSpec.group` is set. */
  kill(): void;
  /** Sets whether it keeps the platform's process running; true at first. Its streams are held separately. */
  hold(held: boolean): void;
}

/** Describes how a process ended. */
export function howEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit ${code}`;
}

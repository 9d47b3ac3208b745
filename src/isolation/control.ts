/**
 * Control messages between the platform and a host process, about workers. What a host process sends is untrusted until it
 * has been read.
 */
import { PROFILES } from "./limits.js";
import type { ProfileKind } from "./profiling.js";

/** Platform → host process. */
export type ControlDown =
  /** The first message: keep a worker of this memory class ready. `slots`: streams for workers that it was started with. */
  | { readonly kind: "warm"; readonly memoryMb: number; readonly slots: number }
  /**
   * Open a worker; the reply is `opened` or `failed` with the same id. `alone`: it is the last one in this process, so keep
   * no spare. `slot`: which stream it gets; `key`: that stream's key in hexadecimal, absent where it has no neighbour.
   */
  | {
      readonly kind: "open";
      readonly id: number;
      readonly memoryMb: number;
      readonly alone: boolean;
      readonly slot: number;
      readonly key?: string;
    }
  | { readonly kind: "kill"; readonly route: number }
  /** Report the cells that have changed. */
  | { readonly kind: "cells" }
  /**
   * Asks a worker whether it has received that many frames. If it has not, although its loop turns, something else has read its
   * stream.
   */
  | { readonly kind: "count"; readonly route: number; readonly frames: number }
  /** Profile a worker for `ms` milliseconds: the reply is `profile` for each part, and `profiled`. */
  | {
      readonly kind: "profile";
      readonly id: number;
      readonly route: number;
      readonly of: ProfileKind;
      readonly ms: number;
    }
  /** Ends one before its time: the reply is `profiled`, with a reason. */
  | { readonly kind: "stopProfile"; readonly id: number }
  /** Answered at once by the cells that have changed and a `pong`: shows that the main thread runs. */
  | { readonly kind: "ping"; readonly id: number };

/** Host process → platform. */
export type ControlUp =
  | { readonly kind: "ready" }
  | { readonly kind: "opened"; readonly id: number; readonly route: number }
  | { readonly kind: "failed"; readonly id: number; readonly why: string }
  /** A worker has ended by itself. */
  | {
      readonly kind: "ended";
      readonly route: number;
      readonly how: "exit" | "memory" | "killed";
      readonly detail: string;
    }
  /** A worker has posted something on its port, which is silent once it has its stream. */
  | { readonly kind: "foreign"; readonly route: number }
  /** A worker's cell has changed: a hint. */
  | { readonly kind: "cell"; readonly route: number; readonly running: number; readonly started: number }
  /** Milliseconds for which each worker's loop has been busy since its start: pairs of route and time. */
  | { readonly kind: "busy"; readonly workers: readonly (readonly [route: number, ms: number])[] }
  | { readonly kind: "pong"; readonly id: number }
  /** A part of a profile. */
  | { readonly kind: "profile"; readonly id: number; readonly part: string }
  /** A profile is complete or, with a reason, was not taken. */
  | { readonly kind: "profiled"; readonly id: number; readonly why: string };

/** Longest control message from a host process, in characters. */
const CHARS = 65_536;
/** Characters kept of a text in one. */
const TEXT_CHARS = 1000;

/** Reads one control message of a host process, without its routing header. Returns undefined if it is not a valid one. */
export function readControlUp(text: string): ControlUp | undefined {
  if (text.length > CHARS) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { kind, id, route, why, how, detail, running, started, workers, part } = value as Record<string, unknown>;
  switch (kind) {
    case "ready":
      return { kind };
    case "pong":
      return isCount(id) ? { kind, id } : undefined;
    case "opened":
      return isCount(id) && isRoute(route) ? { kind, id, route } : undefined;
    case "failed":
      return isCount(id) && typeof why === "string" ? { kind, id, why: why.slice(0, TEXT_CHARS) } : undefined;
    case "ended": {
      if (!isRoute(route) || typeof detail !== "string") return undefined;
      if (how !== "exit" && how !== "memory" && how !== "killed") return undefined;
      return { kind, route, how, detail: detail.slice(0, TEXT_CHARS) };
    }
    case "foreign":
      return isRoute(route) ? { kind, route } : undefined;
    case "cell":
      return isRoute(route) && isWord(running) && isWord(started) ? { kind, route, running, started } : undefined;
    case "busy":
      return Array.isArray(workers) && workers.every(isBusy) ? { kind, workers } : undefined;
    case "profile":
      return isCount(id) && typeof part === "string" && part.length <= PROFILES.partChars
        ? { kind, id, part }
        : undefined;
    case "profiled":
      return isCount(id) && typeof why === "string" ? { kind, id, why: why.slice(0, TEXT_CHARS) } : undefined;
    default:
      return undefined;
  }
}

function isBusy(value: unknown): value is readonly [number, number] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    isRoute(value[0]) &&
    Number.isFinite(value[1]) &&
    Number(value[1]) >= 0
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Checks for a worker's route: route 0 is the host process itself. */
function isRoute(value: unknown): value is number {
  return isCount(value) && value > 0 && value < 2 ** 32;
}

function isWord(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
}

/** Messages between a platform and its resolver process: lines of JSON, orders on standard input, the rest on standard output. */
import type { Listener, Query, Question } from "../backend.js";

/** An order. Those with an `id` get a reply with the same `id`. */
export type Order =
  | { readonly id: number; readonly listen: Listener }
  | { readonly id: number; readonly stop: string }
  | { readonly id: number; readonly ask: Question }
  | { readonly answer: number; readonly message: string; readonly keepMs: number }
  | { readonly drop: number };

/** What the process sends. `code`: the system's, or a word of ours, if an order could not be carried out. */
export type Said =
  | { readonly ready: true }
  | { readonly log: string }
  | { readonly query: Query }
  | { readonly id: number; readonly code?: string; readonly message?: string };

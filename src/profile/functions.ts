/** Sums a profile up by function: what each took itself, without those that it called. */
import type { Frame } from "./frames.js";
import { PROFILE } from "./limits.js";

export interface FunctionShare {
  readonly name: string;
  /** The author's file, or a module of Node's; null: the engine itself. */
  readonly file: string | null;
  /** From 1; null: unknown. */
  readonly line: number | null;
  /** Milliseconds of the processor, or bytes. */
  readonly self: number;
  /** Percentage of the total of all functions. */
  readonly share: number;
}

/** Entries of V8's that are left out: the tree's root, idle time, and native code outside JavaScript. */
const IDLE: ReadonlySet<string> = new Set(["(root)", "(idle)", "(program)"]);

export class Functions {
  readonly #self = new Map<string, { readonly frame: Frame; self: number }>();
  #total = 0;

  add(frame: Frame, self: number): void {
    if (self <= 0 || (frame.url === "" && IDLE.has(frame.functionName))) return;
    const key = `${frame.url}\n${frame.lineNumber}\n${frame.columnNumber}\n${frame.functionName}`;
    const known = this.#self.get(key);
    if (known) known.self += self;
    else this.#self.set(key, { frame, self });
    this.#total += self;
  }

  /** Lists them, the greatest first. */
  list(): readonly FunctionShare[] {
    return [...this.#self.values()]
      .sort((a, b) => b.self - a.self)
      .slice(0, PROFILE.functions)
      .map(({ frame, self }) => ({
        name: frame.functionName || "(anonymous)",
        file: frame.url || null,
        line: frame.lineNumber < 0 ? null : frame.lineNumber + 1,
        self: rounded(self),
        share: rounded((self / this.#total) * 100),
      }));
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

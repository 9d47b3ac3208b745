/** The result of one rule, as data and as lines for people. */
import { escapeLine } from "../../common/escape.js";
import { type Logger, pluginOutput } from "../../common/logger.js";
import { DriverError, type ErrorCode } from "../../driverapi/errors.js";
import { told } from "../../testing/expect.js";
import type { ContractRule } from "../../testing/rule.js";

/** A rule that was tried. */
export interface RuleResult {
  readonly rule: string;
  readonly type: string;
  readonly group: string;
  readonly ok: boolean;
  readonly ms: number;
  /** The following are those of a broken rule. What happened: */
  readonly message?: string;
  readonly says?: string;
  readonly seed?: string;
  /** The error of the driver or the host that broke it, with the author's file and line. */
  readonly code?: ErrorCode;
  readonly file?: string;
  readonly line?: number;
  /** The last lines that the plugin wrote. */
  readonly console?: readonly string[];
}

/** Lines of the plugin that are shown with a broken rule. */
const LAST_LINES = 10;

/** Keeps the last lines that the plugin wrote. */
export class LastLines implements Logger {
  #lines: string[] = [];

  debug(fields: object, message: string): void {
    this.#keep(fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep(fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep(fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep(fields, message);
  }

  /** Returns them, and forgets them. */
  take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #keep(fields: object, message: string): void {
    if (pluginOutput(fields) === undefined) return;
    this.#lines.push(message);
    if (this.#lines.length > LAST_LINES) this.#lines.shift();
  }
}

/** Tries one rule. Never throws: an error is the result. */
export async function tryRule(rule: ContractRule, type: string, log: LastLines): Promise<RuleResult> {
  const { id, group, says, seed } = rule;
  log.take();
  const begun = performance.now();
  let failure: unknown;
  let ok = true;
  try {
    await rule.run();
  } catch (error) {
    [ok, failure] = [false, error];
  }
  const tried = { rule: id, type, group, ok, ms: Math.round(performance.now() - begun) };
  if (ok) return tried;
  const cause = failure instanceof Error && failure.cause !== undefined ? failure.cause : failure;
  const broken = causeOf(cause);
  return {
    ...tried,
    message: told(cause),
    says,
    seed,
    ...(broken === undefined ? {} : { code: broken.code }),
    ...(broken?.file === undefined ? {} : { file: broken.file }),
    ...(broken?.line === undefined ? {} : { line: broken.line }),
    console: log.take(),
  };
}

/** Returns the driver's error that an assertion is about. */
function causeOf(error: unknown): DriverError | undefined {
  if (error instanceof DriverError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof DriverError ? cause : undefined;
}

/** Formats a result, escaped: a message may hold a plugin's words. */
export function resultText({ rule, ok, ms, message, says, seed, console = [] }: RuleResult, width: number): string {
  const head = `  ${ok ? "ok    " : "broken"}  ${rule.padEnd(width)}  ${(ms / 1000).toFixed(1)} s`;
  if (ok) return `${head}\n`;
  const lines = [
    ["what", message],
    ["the rule", says],
    ["the seed", seed],
    ...console.map((line) => ["console", line]),
  ];
  const more = lines.map(([title = "", text = ""]) => {
    return `          ${`${title}:`.padEnd(10)}${escapeLine(text, Number.POSITIVE_INFINITY)}`;
  });
  return `${[head, ...more].join("\n")}\n`;
}

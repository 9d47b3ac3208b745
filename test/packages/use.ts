/** One popular package, used. */

/**
 * `[name, version, imports, expression, expected]`: a plugin that has the imports at its top evaluates the expression, which may
 * await, to what is expected, as JSON gives it back.
 */
export type Use = readonly [name: string, version: string, imports: string, expression: string, expected: unknown];

/** What a use came to. */
export interface Outcome {
  readonly name: string;
  readonly version: string;
  /** `partly`: it loads and runs, and gives something else or throws; `refused`: it is not bundled or not evaluated. */
  readonly how: "works" | "partly" | "refused";
  /** Empty where it works. */
  readonly why: string;
}

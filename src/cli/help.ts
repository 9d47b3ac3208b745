/** What every command's help ends with. */

export interface HelpEnd {
  readonly example: string;
  /** What exit code 1 means besides that the command failed. */
  readonly failed?: string | undefined;
  /** True for a command that needs a running host. */
  readonly asksHost?: boolean;
}

/** Returns an example and the exit codes, as `help` prints them after the options. */
export function helpEnd({ example, failed, asksHost = false }: HelpEnd): string {
  const one = failed === undefined ? "1 failed" : `1 failed, or ${failed}`;
  return `\nExample:\n  ${example}\n\nExit codes: 0 done, ${one}, 2 wrong use${asksHost ? ", 3 no host runs" : ""}.`;
}

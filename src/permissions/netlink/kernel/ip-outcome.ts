/** What every run of `ip` is given, and how one ends. */

/** How a run ended. */
export interface IpOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; null if it did not exit by itself: `stderr` then says why. */
  readonly code: number | null;
}

/** No variables of the platform's environment; English messages, which are parsed. */
export const ENV: NodeJS.ProcessEnv = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** What the runner runs at the same time, and in which order. */

/** A file; of the attacks, a file under one isolation. */
export interface Unit {
  readonly file: string;
  readonly isolation?: string;
}

/** Each waits for an engine most of its time. One at a time, beside everything else. */
const ENGINE = /docker\/engine-?\d*\.test/;
/** Attacks: a file begins nothing under one isolation that it needs under another. */
const ATTACKS = /hostile\/class-/;
/** What these assert or report depends on who else uses the processor; behind the walls, attacks go on three at a time by themselves. */
const ALONE = /storm|load\/|^demo|lifecycle-model|host-time/;
const ALONE_BEHIND_WALLS = ATTACKS;
const ISOLATIONS = ["thread", "process", "dedicated"] as const;

/** Those that take half a minute and more by themselves: begun first, so that none of them is what a run ends with. */
const LONG = [
  "plugins/bridge-contract",
  "fuzz/",
  "host/leaks",
  "doctor/taken-away",
  "host/platform/update",
  "cli/doctor",
  "hostile/class-d",
  "hostile/class-a",
  "hostile/class-g",
];

/**
 * What `--fast` leaves out whole: attacks, engines, and what repeats itself for long. Of the other files it leaves out the tests that need
 * something of the machine.
 */
const NOT_FAST = [
  /hostile\/|docker\/engine|storm|fuzz\/|load\/|doctor|^demo|^pack/,
  /plugins\/(bridge|macvlan)-|testing\/contract|examples\/testing|docs\/documented/,
  /host\/leaks|lifecycle-model|host-time|(state|storage)\/killed|platform-killed/,
];

/** True for a file that `--fast` runs. */
export function isFast(file: string): boolean {
  return !NOT_FAST.some((pattern) => pattern.test(file));
}

export interface Schedule {
  /** Several at a time. */
  readonly together: Unit[];
  /** One after the other, beside the others. */
  readonly engines: Unit[];
  /** One after the other, once those together are done. */
  readonly alone: Unit[];
}

/** Lays out the files. `isolations`: what BULKHEAD_ISOLATION names, if it is set. */
export function schedule(files: readonly string[], isolations: string | undefined): Schedule {
  const units = files.flatMap((file): Unit[] =>
    ATTACKS.test(file)
      ? ISOLATIONS.filter((one) => isolations?.split(",").includes(one) ?? true).map((isolation) => ({
          file,
          isolation,
        }))
      : [{ file }],
  );
  const alone = ({ file, isolation }: Unit): boolean =>
    ALONE.test(file) || (isolation !== undefined && isolation !== "thread" && ALONE_BEHIND_WALLS.test(file));
  const rank = ({ file }: Unit): number => {
    const at = LONG.findIndex((part) => file.includes(part));
    return at < 0 ? LONG.length : at;
  };
  return {
    together: units.filter((one) => !ENGINE.test(one.file) && !alone(one)).sort((a, b) => rank(a) - rank(b)),
    engines: units.filter(({ file }) => ENGINE.test(file)),
    alone: units.filter(alone),
  };
}

/** What the runner runs at the same time, and in which order. Files are named by parts of their paths below `test/`. */

const ISOLATIONS = ["thread", "process", "dedicated"] as const;
type Isolation = (typeof ISOLATIONS)[number];

/** A file; of the attacks, a file under one isolation. */
export interface Unit {
  readonly file: string;
  readonly isolation?: Isolation;
}

/** Each waits for an engine most of its time. One at a time, in a lane that begins with them; the longest first. */
const ENGINES = [
  ...["docker/engine-20", "docker/engine-28", "docker/engine-26", "docker/engine-egress", "docker/engine-overlay"],
  ...["podman/podman-5-4", "podman/podman-5-8"],
  ...["cni/containerd", "cni/podman-4-3", "newcomer/every-platform"],
];
/** Run per isolation. Behind the walls they run one file at a time: two of their cases run together. */
const ATTACKS = ["hostile/class-"];
/** The attacks that the short run makes under `dedicated` too: on memory, whose bounds differ there. The long run makes all of them. */
const DEDICATED = ["hostile/class-e"];
/** The attacks on neighbours in a host process, which exist only under isolation `process`. */
const SHARED = ["hostile/class-g-streams"];
/** What these assert depends on what else uses the processors, and each may use all of them. */
const ALONE = ["hostile/storm", "demo.", "host/lifecycle-model", "traffic/measured"];
/** So does what these assert, but each keeps one processor busy at most: two at a time. */
const TIMED = ["load/loops", "host-time", "cni/executable", "podman/executable"];
/**
 * Engines that Debian 12 does not have: in the long run, with the engines' whole form, or named. CI runs all but the last of them, with the
 * soak tests.
 */
const NEWER = ["docker/engine-26", "docker/engine-28", "podman/podman-5-4", "podman/podman-5-8"];
/** Those that take long by themselves: begun first, so that a run does not end with one of them. */
const LONG = [
  "load/bench",
  "plugins/bridge-contract",
  "plugins/bridge-many",
  "plugins/egress-many",
  "cluster/contract",
  "plugins/overlay-hosts",
  "plugins/overlay-contract",
  "plugins/macvlan-contract",
  "plugins/overlay-contract",
  "plugins/overlay-hosts",
  "testing/contract",
  "fuzz/",
  "host/leaks",
  "doctor/taken-away",
  "platform/update",
  "cli/doctor",
  "cli/new",
  "docker/connections",
  "recovery/set-aside",
  "session/cpu-watch",
  "page/page",
  "hostile/class-d",
  "hostile/class-a",
  "hostile/class-g",
];
/**
 * What `--fast` leaves out whole: attacks, engines, and what takes more than a few seconds of the processor. Of the other files it leaves
 * out the tests that need something of the machine.
 */
const NOT_FAST = [
  ...[
    "hostile/",
    "docker/engine",
    "docker/takeover",
    "podman/podman",
    "podman/executable",
    "fuzz/",
    "load/",
    "doctor",
    "demo",
    "pack.",
  ],
  ...["bundler/confinement", "bundler/li"],
  ...[
    "cli/bench",
    "cli/check",
    "cli/dev",
    "cli/grant",
    "cli/ls",
    "cli/new",
    "cli/ports",
    "cli/serve",
    "cli/test.",
    "examples/",
    "docs/documented",
    "docs/readme",
  ],
  ...[
    "plugins/bridge",
    "plugins/macvlan",
    "plugins/overlay",
    "plugins/readme",
    "testing/contract",
    "storage/",
    "killed.",
    "host-time",
  ],
  ...[
    "host/embedding",
    "host/leaks",
    "host/lifecycle-model",
    "platform/update",
    "recovery/breaker",
    "deadlines/blocked",
    "deadlines/elsewhere",
    "platform/bad-input",
  ],
];

/** All of them; a test asserts that each part still names a file. */
export const NAMED: readonly string[] = [
  ...NEWER,
  ...ENGINES,
  ...ATTACKS,
  ...DEDICATED,
  ...SHARED,
  ...ALONE,
  ...TIMED,
  ...LONG,
  ...NOT_FAST,
];

const isOf = (parts: readonly string[], file: string): boolean => parts.some((part) => file.includes(part));

/** True for a file that `--fast` runs. */
export function isFast(file: string): boolean {
  return !isOf(NOT_FAST, file);
}

export interface Schedule {
  /** Several at a time. */
  readonly together: Unit[];
  /** Attacks behind the walls, one after the other, beside those together. */
  readonly walled: Unit[];
  /** Engines, one after the other, beside all of those; their lane then takes files from `together`. */
  readonly engines: Unit[];
  /** Two at a time, once all of those are done. */
  readonly timed: Unit[];
  /** One after the other, once all others are done. */
  readonly alone: Unit[];
}

/** Lays out the files. `isolations`: what BULKHEAD_ISOLATION names, if it is set; throws for a name that is not an isolation. */
export function schedule(files: readonly string[], isolations: string | undefined, long: boolean): Schedule {
  const named = chosen(isolations);
  const short = ISOLATIONS.filter((one) => one !== "dedicated");
  const under = (file: string): readonly Isolation[] => {
    const all = named ?? (long || isOf(DEDICATED, file) ? ISOLATIONS : short);
    return isOf(SHARED, file) ? all.filter((one) => one === "process") : all;
  };
  const units = files.flatMap((file): Unit[] =>
    isOf(ATTACKS, file) ? under(file).map((isolation) => ({ file, isolation })) : [{ file }],
  );
  const alone = ({ file }: Unit): boolean => isOf(ALONE, file);
  const timed = ({ file }: Unit): boolean => isOf(TIMED, file);
  const walled = ({ isolation }: Unit): boolean => isolation !== undefined && isolation !== "thread";
  const engine = ({ file }: Unit): boolean => isOf(ENGINES, file);
  return {
    together: ranked(
      LONG,
      units.filter((one) => ![alone, timed, walled, engine].some((other) => other(one))),
    ),
    walled: ranked(LONG, units.filter(walled)),
    engines: ranked(ENGINES, units.filter(engine)),
    timed: units.filter(timed),
    alone: units.filter(alone),
  };
}

/** Those that `first` names come first, in its order. */
function ranked(first: readonly string[], units: readonly Unit[]): Unit[] {
  const rank = ({ file }: Unit): number => {
    const at = first.findIndex((part) => file.includes(part));
    return at < 0 ? first.length : at;
  };
  return [...units].sort((a, b) => rank(a) - rank(b));
}

function chosen(isolations: string | undefined): readonly Isolation[] | undefined {
  if (isolations === undefined) return undefined;
  const named = isolations.split(",");
  const unknown = named.find((one) => !(ISOLATIONS as readonly string[]).includes(one));
  if (unknown !== undefined)
    throw new Error(`BULKHEAD_ISOLATION names "${unknown}": it may name "thread", "process" and "dedicated"`);
  return ISOLATIONS.filter((one) => named.includes(one));
}

/** True for a file with an engine that Debian 12 does not have. */
export function isNewer(file: string): boolean {
  return isOf(NEWER, file);
}

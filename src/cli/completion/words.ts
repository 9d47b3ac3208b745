/** What each argument of a command, and each option's value, is: a shell completes it accordingly. */
import { CALL_METHODS } from "../../control/call-arguments.js";
import { ISOLATIONS } from "../../isolation/link.js";
import { CLUSTER_WORDS } from "../control/cluster.js";
import { LOG_LEVELS } from "../serve/settings.js";

/** Names that the running host is asked for. */
export type HostNames = "plugins" | "types" | "networks";

/** What may stand in one place; nothing: the shell offers nothing. */
export interface Place {
  readonly files?: true;
  readonly words?: readonly string[];
  readonly names?: readonly HostNames[];
}

/** One command, as a shell completes it. */
export interface Completed {
  readonly name: string;
  readonly does: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly Place[];
}

export interface CompletedOption {
  /** As `--follow`. */
  readonly long: string;
  /** As `-f`. */
  readonly short: string | undefined;
  readonly does: string;
  /** Its value; undefined if it takes none, or may have none. */
  readonly value: Place | undefined;
}

const FILE: Place = { files: true };
const PLUGIN: Place = { names: ["plugins"] };
/** Such as an endpoint, which no command lists. */
const UNKNOWN: Place = {};
const INSTALL: Place = { words: ["install", "uninstall"] };

/** The arguments of each command that takes any, in order. */
export const ARGUMENTS: Readonly<Record<string, readonly Place[]>> = {
  grant: [PLUGIN],
  revoke: [PLUGIN],
  // check and diff take a policy's file, learn a plugin.
  policy: [{ words: ["check", "diff", "learn"] }, { ...FILE, ...PLUGIN }],
  new: [FILE],
  check: [FILE],
  dev: [FILE],
  test: [FILE],
  bench: [FILE],
  schema: [{ words: ["manifest", "policy", "serve"] }],
  record: [{ words: ["show", "export"] }, PLUGIN],
  backup: [FILE],
  restore: [FILE],
  cni: [INSTALL],
  podman: [INSTALL],
  completion: [{ words: ["bash", "zsh", "fish"] }],
  status: [PLUGIN],
  logs: [PLUGIN],
  events: [PLUGIN],
  inspect: [{ names: ["plugins", "networks"] }],
  why: [UNKNOWN, UNKNOWN],
  shape: [UNKNOWN],
  cluster: [{ words: CLUSTER_WORDS }, UNKNOWN],
  profile: [PLUGIN],
  heap: [PLUGIN],
  restart: [PLUGIN],
  stop: [PLUGIN],
  start: [PLUGIN],
  reload: [PLUGIN],
  quarantine: [PLUGIN],
  call: [{ names: ["types"] }, { words: CALL_METHODS }, UNKNOWN],
};

/** What an option's value is, by the word for it in the option's usage. */
const VALUES: Readonly<Record<string, Place>> = { file: FILE, folder: FILE, path: FILE, socket: FILE };

/** What the values of some options are, by flag. */
const OPTIONS: Readonly<Record<string, Place>> = {
  "--isolation": { words: ISOLATIONS },
  "--backend": { words: ["kernel", "model", "auto"] },
  "--log-level": { words: LOG_LEVELS },
  "--plugin": PLUGIN,
};

/** Returns what the value of an option is. `word`: the word for it, such as "file". */
export function optionValue(flag: string, word: string): Place {
  return OPTIONS[flag] ?? VALUES[word] ?? UNKNOWN;
}

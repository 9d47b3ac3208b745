/**
 * The commands that start a process of ours with few privileges in a network namespace: `setpriv` leaves it one capability, to bind low
 * ports; Node's permission flags leave it only its own code.
 */
import { fileURLToPath } from "node:url";
import { permissionFlag } from "../../../protocol/permission-flag.js";
import { program } from "./programs.js";

/** The runtime's folder, which the process may read. */
const HOME = fileURLToPath(new URL("../../../..", import.meta.url));

export interface Service {
  /** A path; undefined: the platform's own namespace. */
  readonly netns: string | undefined;
  readonly script: string;
  /** JavaScript heap, in mebibytes. */
  readonly heapMb: number;
  /** Further files that it may read. */
  readonly reads?: readonly string[];
}

export interface ServiceCommands {
  /** With few capabilities; undefined where that is not possible. */
  readonly few: readonly string[] | undefined;
  readonly plain: readonly string[];
}

export function serviceCommands({ netns, script, heapMb, reads = [] }: Service): ServiceCommands {
  const enter = netns === undefined ? [] : [program("nsenter") ?? "nsenter", `--net=${netns}`];
  const setpriv = program("setpriv");
  const node = [
    ...[process.execPath, `--max-old-space-size=${heapMb}`, "--disallow-code-generation-from-strings"],
    ...[permissionFlag(), "--disable-warning=ExperimentalWarning", ...netFlag()],
    ...[`--allow-fs-read=${HOME}dist/*`, `--allow-fs-read=${HOME}package.json`],
    ...reads.map((path) => `--allow-fs-read=${path}`),
    script,
  ];
  const few = ["--bounding-set=-all,+net_bind_service", "--inh-caps=-all", "--no-new-privs"];
  return {
    few: setpriv !== undefined && process.geteuid?.() === 0 ? [...enter, setpriv, ...few, ...node] : undefined,
    plain: [...enter, ...node],
  };
}

/** Node 25 and later require this flag; earlier ones do not know it. */
function netFlag(): readonly string[] {
  return process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : [];
}

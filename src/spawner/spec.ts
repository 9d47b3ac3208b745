/** What is started, and the messages between the platform and its spawner. */

/** One descriptor of a process: one end of a socket pair, /dev/null, or a file that it may read. */
export type StreamSpec = "pipe" | "ignore" | { readonly file: string };

export interface ChildSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The account it runs as; absent: the platform's own. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** By descriptor. All others that the starting process inherited are covered by /dev/null. */
  readonly streams: readonly StreamSpec[];
  /** True if its process group is killed with it, and when it ends. */
  readonly group?: boolean;
}

/** From the platform to the spawner. */
export type Order =
  | { readonly kind: "start"; readonly id: number; readonly spec: ChildSpec }
  | { readonly kind: "kill"; readonly id: number };

/** From the spawner to the platform, in this order for each process. */
export type Report =
  | { readonly kind: "up" }
  /** Comes with the platform's end of a descriptor. */
  | { readonly kind: "stream"; readonly id: number; readonly descriptor: number }
  /** All its streams have been sent, and the spawner has closed its own copies of them. */
  | { readonly kind: "started"; readonly id: number; readonly pid: number }
  /** Instead of `started`. */
  | { readonly kind: "failed"; readonly id: number; readonly why: string }
  | {
      readonly kind: "ended";
      readonly id: number;
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
    };

/**
 * Returns the descriptor on which a process that the spawner has started waits for a line before it runs its command. By then the
 * platform has all streams of the process, so the spawner reads nothing that the process writes.
 */
export function gateOf(streams: readonly StreamSpec[]): number {
  const gate = streams.findIndex((stream, descriptor) => stream === "pipe" && (descriptor === 0 || descriptor > 2));
  if (gate < 0) throw new Error("a process of the spawner needs a stream that it reads");
  return gate;
}

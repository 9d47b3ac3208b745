/** What the doctor and the processes it runs behind the wall exchange: requests, and the outcome of each probe. */

/** One thing that was tried, and its outcome. */
export interface Probe {
  readonly what: string;
  /** True: it succeeded, so nothing stopped it. */
  readonly through: boolean;
  /** The error's code, or the result. */
  readonly said: string;
}

/** The probes of one check; a text says why they cannot be run here. */
export type Probes = readonly Probe[] | string;

/** What the probes attack: parts of the platform, set up for them. */
export interface Targets {
  /** The platform's process. */
  readonly pid: number;
  /** Its namespaces, by name: `net` is "net:[4026531833]". */
  readonly namespaces: Readonly<Record<string, string>>;
  /** Files and folders of the machine. */
  readonly files: readonly string[];
  /** A world-readable file in the machine's folder for temporary files. */
  readonly temporary: string;
  /** Where servers of the platform listen: TCP ports on loopback, and paths of Unix sockets. */
  readonly ports: { readonly v4?: number; readonly v6?: number; readonly paths: readonly string[] };
  /** Writable memory that the process may have, in mebibytes. */
  readonly dataMb: number;
}

/** The probes that one process behind the wall runs. */
export interface ProbeRequest {
  /** "walls": what the system's walls stop; "flags": what Node's permission flags, a worker and a compartment stop. */
  readonly what: "walls" | "flags";
  readonly targets: Targets;
  /** Walls that are left out, to show what each of them stops. */
  readonly without: readonly ("worker-flags" | "worker-environment" | "compartment")[];
}

/** One line of the reply: a check has begun, or is done. */
export type Progress = { readonly begun: string } | { readonly check: string; readonly tried: Probes };

/** Runs `act`: if it returns, it succeeded; if it throws, it was stopped. */
export function probe(what: string, act: () => unknown): Probe {
  try {
    return { what, through: true, said: said(act()) };
  } catch (error) {
    return { what, through: false, said: reason(error) };
  }
}

/** Does the same for an asynchronous `act`. */
export async function probeAsync(what: string, act: () => Promise<unknown>): Promise<Probe> {
  try {
    return { what, through: true, said: said(await act()) };
  } catch (error) {
    return { what, through: false, said: reason(error) };
  }
}

/** Creates a probe from an observation; `bad`: the wall should have prevented it. */
export function observe(what: string, bad: boolean, text: string): Probe {
  return { what, through: bad, said: text };
}

/** Returns an error's code, or else its message. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return cut(String(error));
  const { code } = error as { code?: unknown };
  return cut(typeof code === "string" && code !== "ERR_SYSTEM_ERROR" ? code : error.message);
}

function said(value: unknown): string {
  if (value === undefined || value === null) return "done";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return cut(Array.isArray(value) ? value.join(" ") : String(value));
}

/** Characters shown of a result. */
const SHOWN_CHARS = 80;

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS - 1)}…` : line;
}

/** What the doctor's two sides say to each other: what is to be tried behind the wall, and how it went. */

/** One thing that was tried. */
export interface Probe {
  readonly what: string;
  /** It went through: whatever was to stop it did not. */
  readonly through: boolean;
  /** The error's code, or what was got. */
  readonly said: string;
}

/** How the attempts of one check went; a text says why they could not be made here. */
export type Probes = readonly Probe[] | string;

/** What the platform tells those who try, so that they know what to go for. */
export interface Targets {
  /** The platform's process. */
  readonly pid: number;
  /** Its namespaces, by name: `net` is "net:[4026531833]". */
  readonly namespaces: Readonly<Record<string, string>>;
  /** Files and folders of the machine. */
  readonly files: readonly string[];
  /** A file in the machine's folder for temporary files, which everybody may read. */
  readonly temporary: string;
  /** Where a server of the platform's listens; TCP ports on loopback, and paths of Unix sockets. */
  readonly ports: { readonly v4?: number; readonly v6?: number; readonly paths: readonly string[] };
  /** Writable memory that the process may have, in mebibytes. */
  readonly dataMb: number;
}

/** What one process behind the wall is to try. */
export interface ProbeRequest {
  /** "walls": what the system's walls stop; "flags": what Node's permission flags, a worker and a compartment stop. */
  readonly what: "walls" | "flags";
  readonly targets: Targets;
  /** Walls that are left out, so that it can be shown what they hold. */
  readonly without: readonly ("worker-flags" | "worker-environment" | "compartment")[];
}

/** One line of the answer: a check that is begun, and one that is done. */
export type Progress = { readonly begun: string } | { readonly check: string; readonly tried: Probes };

/** Tries it: what is returned has gone through, what is thrown was stopped. */
export function probe(what: string, act: () => unknown): Probe {
  try {
    return { what, through: true, said: said(act()) };
  } catch (error) {
    return { what, through: false, said: reason(error) };
  }
}

/** The same of something that takes its time. */
export async function probeAsync(what: string, act: () => Promise<unknown>): Promise<Probe> {
  try {
    return { what, through: true, said: said(await act()) };
  } catch (error) {
    return { what, through: false, said: reason(error) };
  }
}

/** Something that is looked at: `bad` is what must not be. */
export function observe(what: string, bad: boolean, text: string): Probe {
  return { what, through: bad, said: text };
}

/** An error's code, or else its message. */
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

/** Characters of what was got that are told. */
const CHARS = 80;

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > CHARS ? `${line.slice(0, CHARS - 1)}…` : line;
}

/** Runs the command line inside the test's own process, with its words collected. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MakeHost } from "#dist/cli/check.js";
import { runProgram } from "#dist/cli/program.js";

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** The JSON it printed; throws if it printed none. */
  json(): Record<string, unknown> & {
    ok: boolean;
    error?: { code: string; message: string; file?: string; line?: number };
  };
}

export async function cli(args: readonly string[], makeHost?: MakeHost): Promise<Ran> {
  let out = "";
  let err = "";
  const streams = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const exit = await runProgram(args, streams, "1.2.3", makeHost ? { makeHost } : {});
  return { exit, out, err, json: () => JSON.parse(out) };
}

/** Runs `work` where no program is to be found: no wall but Node's own can be raised. */
export async function withoutPrograms<T>(empty: string, work: () => Promise<T>): Promise<T> {
  const before = process.env.PATH;
  process.env.PATH = empty;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.PATH;
    else process.env.PATH = before;
  }
}

/** Files by path below `root`. */
export async function fill(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** The least plugin there is, to the eye of a bundler. */
export const CODE = "export async function init() {}\n";

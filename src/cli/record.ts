/** `bulkhead record show|export [ID]`: the last calls and requests of a host, also after it was killed. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { escapeLine } from "../common/escape.js";
import { quote } from "../common/quote.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { Entry } from "../host/recorder/entry.js";
import { readRecording } from "../host/recorder/read-recording.js";
import { PLUGIN_ID } from "../policy/manifest/schema.js";
import { type Report, table } from "./output.js";
import { notFound } from "./places.js";

export interface RecordOptions {
  readonly dataDir: string;
  /** Only the entries of this plugin. */
  readonly id: string | undefined;
  /** Most entries to show. */
  readonly last?: string | undefined;
  /** Only failed calls and requests; events and gaps stay. */
  readonly failed?: boolean | undefined;
  /** The new file to export to. */
  readonly out?: string | undefined;
}

const DEFAULT_LAST = 50;
const DEFAULT_OUT = "recording.jsonl";
/** Longest text of a row, in UTF-16 units. */
const TEXT = 100;

/** Shows or exports a recording. Throws `ERR_USAGE`, `ERR_PLUGIN_NOT_FOUND`, and `ERR_DATA_DIR` if the recording cannot be read. */
export async function record(what: string, options: RecordOptions): Promise<Report> {
  const { dataDir, id } = options;
  if (what !== "show" && what !== "export")
    throw new DriverError("ERR_USAGE", `bulkhead record takes show or export, not ${quote(what)}`);
  if (id !== undefined && !PLUGIN_ID.test(id))
    throw new DriverError("ERR_USAGE", `${quote(id)} is not a plugin's id, which matches ${PLUGIN_ID.source}`);
  const all = await readRecording(dataDir).catch((error: unknown) => {
    throw new DriverError("ERR_DATA_DIR", `the recording in ${dataDir} cannot be read: ${messageOf(error)}`);
  });
  if (all.length === 0)
    throw new DriverError(
      "ERR_DATA_DIR",
      `${dataDir} has no recording; name the data folder of a host with --data-dir`,
    );
  if (id !== undefined) assertRecorded(id, all, dataDir);
  const own = id === undefined ? all : all.filter((one) => one.kind === "gap" || one.plugin === id);
  return what === "show" ? show(own, options) : exported(own, options);
}

/** Throws `ERR_PLUGIN_NOT_FOUND` for a plugin without an entry: its recording would look as if nothing had happened. */
function assertRecorded(id: string, all: readonly Entry[], dataDir: string): void {
  const ids = [...new Set(all.flatMap((one) => (one.kind === "gap" ? [] : [one.plugin])))];
  if (!ids.includes(id)) throw notFound(`the recording in ${dataDir} has nothing of a plugin ${quote(id)}`, id, ids);
}

function show(all: readonly Entry[], { last = String(DEFAULT_LAST), failed = false }: RecordOptions): Report {
  if (!/^\d{1,7}$/.test(last)) throw new DriverError("ERR_USAGE", "--last is a whole number, of entries");
  const chosen = failed ? all.filter((one) => !("ms" in one) || one.code !== undefined) : all;
  const entries = Number(last) === 0 ? [] : chosen.slice(-Number(last));
  const rows = entries.map((one) => entryRow(one).map((text) => escapeLine(text, TEXT)));
  return { data: { entries }, text: table(["TIME", "PLUGIN", "WHAT", "TOOK", "OUTCOME"], rows) };
}

async function exported(entries: readonly Entry[], { out = DEFAULT_OUT }: RecordOptions): Promise<Report> {
  const file = resolve(out);
  const lines = entries.map((one) => `${JSON.stringify(one)}\n`);
  // Options of networks may hold what is not meant for everybody.
  await writeFile(file, lines, { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
    throw new DriverError(
      "ERR_USAGE",
      `the recording was not written: ${messageOf(error)}; name a new file with --out`,
    );
  });
  const calls = entries.filter(({ kind }) => kind === "call").length;
  const text = `${calls} calls of ${entries.length} entries written to ${file}; replayRecording of bulkhead/testing makes them again`;
  return { data: { file, entries: entries.length, calls }, text };
}

/** Returns its cells, not escaped yet. */
export function entryRow(entry: Entry): readonly string[] {
  const at = new Date(entry.time).toISOString();
  if (entry.kind === "gap") return [at, "", "", "", `${entry.missed} entries were not recorded`];
  const { plugin } = entry;
  if (entry.kind === "event") return [at, plugin, entry.event, "", entry.reason ?? ""];
  const { ms, code, message } = entry;
  const outcome = code === undefined ? "ok" : `${code}: ${message ?? ""}`;
  const what =
    entry.kind === "request"
      ? `  ${entry.name} ${entry.args.slice(1, -1)}`
      : `${entry.type}.${entry.method} ${JSON.stringify(entry.args ?? "…").slice(1, -1)}`;
  return [at, plugin, what, `${ms} ms`, outcome];
}

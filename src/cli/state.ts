/** `bulkhead state`: shows the contents of a data folder, exports them, or recovers a damaged folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DriverError } from "../driverapi/errors.js";
import { backUp } from "../storage/backup.js";
import { corrupt } from "../storage/errors.js";
import { type FolderContents, inspectFolder, journalRows, recover } from "../storage/inspect.js";
import type { Table } from "../storage/tables.js";
import { OUTPUT } from "./limits.js";
import { type Report, table } from "./output.js";

/** The command's options. */
export interface StateOptions {
  readonly dataDir: string;
  /** A new file for the contents, as JSON. */
  readonly export?: string | undefined;
  /** Recover a damaged folder. */
  readonly recover: boolean;
  /** Recover even where rows are lost. */
  readonly yes: boolean;
  /** A new folder for a copy that opens. */
  readonly backup?: string | undefined;
}

/** Shows the folder, also while a host runs. Fails with `ERR_JOURNAL_CORRUPT` if part of it could not be read. */
export async function state(options: StateOptions): Promise<Report> {
  if (options.backup !== undefined) await backUp(options.dataDir, options.backup, "folder");
  const held: FolderContents & { readonly kept?: string | undefined } = options.recover
    ? await recover(options.dataDir, options.yes)
    : await inspectFolder(options.dataDir);
  const shown = described(held);
  if (options.export !== undefined) write(options.export, { ...shown, store: storeRows(held) });
  const data = {
    ...shown,
    problems: held.problems,
    waiting: held.waiting,
    ...(held.kept === undefined ? {} : { kept: held.kept }),
  };
  const report = { data, text: text(shown, held) };
  if (held.problems.length === 0 || options.recover) return report;
  return { ...report, error: corrupt(join(held.folder, "log"), held.problems.join("; ")) };
}

type Described = ReturnType<typeof described>;

function described(held: FolderContents) {
  const bodies = (of: Table): unknown[] => (held.rows.get(of) ?? []).map(({ body }) => JSON.parse(body));
  const records = journalRows(held).map(([type, nid, eid, part, entry]) => ({
    type,
    nid,
    ...(eid === null ? {} : { eid }),
    ...(part === true ? { join: true } : part === "external" ? { external: true } : {}),
    ...entry,
  }));
  const bundles = bodies("bundles").map((one) => {
    const { id, version, sha256, types } = one as Record<string, unknown>;
    return { id, version, sha256, types };
  });
  const stores = new Map<string, { keys: number; bytes: number }>();
  for (const { plugin, key, value } of storeRows(held)) {
    const { keys, bytes } = stores.get(plugin) ?? { keys: 0, bytes: 0 };
    stores.set(plugin, { keys: keys + 1, bytes: bytes + Buffer.byteLength(key) + Buffer.byteLength(value) });
  }
  return {
    dataDir: held.folder,
    live: held.live,
    journal: records,
    links: bodies("links"),
    rules: bodies("rules"),
    stores: [...stores].map(([plugin, size]) => ({ plugin, ...size })),
    bundles,
  };
}

function storeRows({
  rows,
}: FolderContents): readonly { readonly plugin: string; readonly key: string; readonly value: string }[] {
  return (rows.get("store") ?? []).map(({ key, body }) => {
    const [plugin = "", ...rest] = key.toString().split("\0");
    return { plugin, key: rest.join("\0"), value: body };
  });
}

function text(
  { dataDir, live, journal, links, rules, stores }: Described,
  held: FolderContents & { readonly kept?: string | undefined },
): string {
  const networks = journal.filter((one) => !("eid" in one));
  const count = (nid: string, type: string, part?: "join" | "external"): number =>
    journal.filter((one) => one.type === type && one.nid === nid && "eid" in one && partOf(one) === part).length;
  const rows = networks
    .slice(0, OUTPUT.shownRows)
    .map(({ type, nid, phase }) => [
      type,
      nid,
      phase,
      String(count(nid, type)),
      String(count(nid, type, "join")),
      String(count(nid, type, "external")),
    ]);
  const more = networks.length - rows.length;
  return [
    `${dataDir}: ${live ? "a host runs on it" : "no host runs on it"}`,
    "",
    ...(rows.length === 0
      ? ["no networks"]
      : [table(["TYPE", "NETWORK", "PHASE", "ENDPOINTS", "JOINS", "PROGRAMMED"], rows)]),
    ...(more > 0 ? [`and ${more} more; --json shows all`] : []),
    "",
    `${links.length} link(s), ${rules.length} firewall rule(s)`,
    ...stores.map(({ plugin, keys, bytes }) => `store of ${plugin}: ${keys} key(s), ${bytes} bytes`),
    ...(held.waiting > 1
      ? [`${held.waiting} logs wait for a checkpoint: checkpoints fail, and the host's log says why`]
      : []),
    ...held.problems.map((problem) => `could not be read: ${problem}`),
    ...(held.kept === undefined ? [] : [`recovered all that was readable; the damaged files are in ${held.kept}`]),
  ].join("\n");
}

/** Returns the part of an endpoint that a row is about; undefined: the endpoint itself. */
function partOf(row: object): "join" | "external" | undefined {
  return "join" in row ? "join" : "external" in row ? "external" : undefined;
}

function write(file: string, value: unknown): void {
  try {
    writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST"
        ? "it exists already; name a new file"
        : code === "ENOENT"
          ? "its folder does not exist; create it first"
          : message;
    throw new DriverError("ERR_OPTIONS", `--export ${file}: ${why}`, { file });
  }
}

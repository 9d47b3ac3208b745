/** Commands about a data folder: what it holds, what was recorded, copies of it. */
import type { RecordOptions } from "../record.js";
import type { Add } from "./add.js";
import { dataDirOf, withDataDir } from "./places.js";

interface StateFlags {
  readonly export?: string;
  readonly recover?: true;
  readonly yes?: true;
  readonly backup?: string;
}

export function addDataFolderCommands(add: Add): void {
  withDataDir(
    add({
      usage: "state",
      does: "show what a data folder holds, also while a host runs on it",
      example: "bulkhead state --export state.json",
      failed: "files are damaged",
      async work(_, command) {
        const { state } = await import("../state.js");
        const { export: to, backup, recover, yes } = command.opts<StateFlags>();
        const dataDir = dataDirOf(command);
        return state({ dataDir, export: to, backup, recover: recover === true, yes: yes === true });
      },
    }),
  )
    .option("--export <file>", "write its contents to a new file, as JSON")
    .option("--backup <folder>", "copy the state, also while a host runs, into a new folder that a host can open")
    .option("--recover", "replace damaged files with what can be read of them; needs --yes if rows are lost")
    .option("--yes", "with --recover: go on although rows are lost; the damaged files are kept");
  withDataDir(
    add({
      usage: "record <what> [id]",
      does: "show: the last calls and requests of a host, or of one plugin; export: write them to a file for bulkhead/testing",
      example: "bulkhead record export bridge --out failure.jsonl",
      async work(what, command) {
        const { record } = await import("../record.js");
        const dataDir = dataDirOf(command);
        return record(what, { ...command.opts<Partial<RecordOptions>>(), dataDir, id: command.args[1] });
      },
    }),
  )
    .option("--last <number>", "with show: how many (default: 50)")
    .option("--failed", "with show: only failed calls and requests, with events and gaps")
    .option("--out <file>", "with export: the new file (default: recording.jsonl, in this folder)");
  withDataDir(
    add({
      usage: "backup <to>",
      does: "copy the state into a new file, or a new folder (its name ends in /), also while a host runs",
      example: "bulkhead backup bulkhead-monday.backup",
      async work(to, command) {
        const { backup } = await import("../backup.js");
        return backup(to, dataDirOf(command));
      },
    }),
  );
  withDataDir(
    add({
      usage: "restore <from>",
      does: "put the state of a backup into an empty data folder",
      example: "bulkhead restore bulkhead-monday.backup --data-dir /var/lib/bulkhead",
      async work(from, command) {
        const { restoreBackup } = await import("../backup.js");
        return restoreBackup(from, dataDirOf(command));
      },
    }),
  );
}

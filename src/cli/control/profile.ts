/** `bulkhead profile` and `bulkhead heap`: what a plugin's worker spends its time on, or its memory, while it serves. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "../../common/text.js";
import type { ControlClient } from "../../control/client.js";
import { cell, columns } from "../../control/table/columns.js";
import { milliseconds } from "../../control/table/figures.js";
import type { ProfiledFunction, ProfileReply } from "../../control/types.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Printer, safe } from "./output.js";

/** Functions that are shown to people. */
const SHOWN = 15;

export interface ProfileOptions {
  readonly kind: "cpu" | "heap";
  readonly id: string;
  readonly seconds: string;
  /** The file to write; by default the plugin's id with the ending that DevTools expects, in the working folder. */
  readonly out: string | undefined;
}

export async function profile(client: ControlClient, printer: Printer, options: ProfileOptions): Promise<void> {
  const { kind, id } = options;
  const seconds = Number(options.seconds);
  if (!(seconds >= 0.1 && seconds <= 60)) throw new DriverError("ERR_USAGE", "--seconds is a number from 0.1 to 60");
  const file = resolve(options.out ?? `${id}.${kind}profile`);
  // Before it is taken: that may last a minute.
  if (existsSync(file)) throw new DriverError("ERR_USAGE", `${file} exists; name another file with --out`);
  const reply = await client.ask("profile", { id, body: { kind, seconds } });
  // A link that a plugin's folder holds under this name is not followed.
  const written = writeFile(file, `${JSON.stringify(reply.profile)}\n`, { flag: "wx", mode: 0o600 });
  await written.catch((error: unknown) => {
    const why = `the profile was not written: ${messageOf(error)}; name a file that does not exist with --out`;
    throw new DriverError("ERR_USAGE", why);
  });
  const { functions } = reply;
  printer.print([{ plugin: reply.plugin, kind, seconds, file, functions }], profileText(printer, reply, file));
}

function profileText(printer: Printer, { plugin, kind, seconds, functions }: ProfileReply, file: string): string {
  const what = kind === "cpu" ? "CPU time of its worker, by function" : "what it allocated and still uses, by function";
  const head =
    functions.length === 0
      ? `${safe(plugin)}: ${kind === "cpu" ? "its worker did nothing" : "it allocated nothing that it still uses"} in ${seconds} s`
      : `${safe(plugin)}, ${seconds} s: ${what}`;
  const rows = columns(
    printer.coloured,
    ["SHARE", "SELF", "FUNCTION", "AT"],
    functions
      .slice(0, SHOWN)
      .map((one) => [
        cell(`${one.share.toFixed(1)} %`),
        cell(kind === "cpu" ? milliseconds(one.self) : bytes(one.self)),
        cell(one.name),
        cell(placeOf(one)),
      ]),
  );
  const written = `written to ${safe(file)}: open it in Chrome's DevTools (Performance, Memory) or VS Code`;
  return [head, ...(functions.length === 0 ? [] : ["", rows, ""]), written].join("\n");
}

function placeOf({ file, line }: ProfiledFunction): string {
  return file === null || line === null ? (file ?? "-") : `${file}:${line}`;
}

function bytes(count: number): string {
  return count >= 1_048_576 ? `${(count / 1_048_576).toFixed(1)} MiB` : `${Math.ceil(count / 1024)} KiB`;
}

/** `bulkhead logs` and `bulkhead events`: what the host keeps of both, and with `-f` what comes. */
import { quote } from "../../common/quote.js";
import type { ControlClient, Followed } from "../../control/client.js";
import type { Colour } from "../../control/table/columns.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Printer, safe } from "./output.js";

export interface EventsOptions {
  readonly kind: "log" | "event";
  readonly plugin: string | undefined;
  readonly follow: boolean;
  /** At most so many of those that are kept. */
  readonly lines: string | undefined;
  /** The id after which to go on. */
  readonly since: string | undefined;
}

/** Prints them. With `follow`, rejects with `ERR_NO_DAEMON` when the host ends. */
export async function follow(client: ControlClient, printer: Printer, options: EventsOptions): Promise<void> {
  const { kind, plugin, follow, lines, since } = options;
  if (lines !== undefined && !/^\d{1,6}$/.test(lines))
    throw new DriverError("ERR_USAGE", "--lines is a whole number, of lines");
  if (since !== undefined && !EVENT_ID.test(since))
    throw new DriverError(
      "ERR_USAGE",
      `--since is an event's id, as --json shows it ("9f1c03aa-17"), not ${quote(since)}`,
    );
  // An unknown id is the user's mistake; without this, its log would just be empty.
  if (plugin !== undefined) await client.ask("plugin", { id: plugin });
  if (since !== undefined) await assertKnown(client, since);
  const last = lines ?? (since === undefined ? "1000000" : undefined);
  const query = {
    ...{ kind, follow: String(follow) },
    ...(plugin === undefined ? {} : { plugin }),
    ...(since === undefined ? {} : { since }),
    ...(last === undefined ? {} : { last }),
  };
  if (follow) await printer.endless();
  for await (const one of client.events(query)) {
    if ("missed" in one && !printer.json)
      printer.note(`${one.missed} events were missed: they came faster than they were read`);
    else printer.print([one], eventLine(printer, one));
  }
  if (follow) throw new DriverError("ERR_NO_DAEMON", "the host has ended");
}

/** An id of a host's run, and the number of an event in it. */
const EVENT_ID = /^([0-9a-f]{8})-(\d{1,15})$/;

/**
 * Rejects with `ERR_EVENT_NOT_FOUND` if the host has not given an event this id. The host itself would begin with the oldest: a page that
 * resumes after a restart needs that, but a user who gives an id would take that for an answer.
 */
async function assertKnown(client: ControlClient, since: string): Promise<void> {
  let newest = "";
  for await (const one of client.events({ last: "1", follow: "false" })) if ("id" in one) newest = one.id;
  const [, run, number] = EVENT_ID.exec(since) ?? [];
  const [, current, count] = EVENT_ID.exec(newest) ?? [];
  if (run === current && Number(number) <= Number(count)) return;
  const why = run === current ? `its last one is ${newest}` : "the id is of an earlier run, or of another host";
  throw new DriverError(
    "ERR_EVENT_NOT_FOUND",
    `the host has no event ${since}: ${why}; leave --since out for all it keeps`,
  );
}

const LEVELS: Readonly<Record<string, Colour>> = { warn: "yellow", error: "red", debug: "faint" };

/** Formats one event or line: time, level or name, whose it is, words. */
export function eventLine(printer: Printer, one: Followed): string {
  if ("missed" in one) return `… ${one.missed} missed`;
  const { time, event, plugin, level = "info", own, code, message, data } = one;
  const at = printer.paint("faint", safe(time));
  if (event !== "log")
    return `${at} ${safe(event)}${plugin === undefined ? "" : ` ${safe(plugin)}`}: ${codeText(code)}${safe(message)}`;
  const who = own && plugin !== undefined ? `[${safe(plugin)}]` : "bulkhead:";
  const fields = data === undefined ? "" : ` ${safe(JSON.stringify(data))}`;
  return `${at} ${printer.paint(LEVELS[level] ?? "plain", safe(level.padEnd(5)))} ${who} ${codeText(own ? undefined : code)}${safe(message)}${fields}`;
}

function codeText(code: string | undefined): string {
  return code === undefined ? "" : `${safe(code)}: `;
}

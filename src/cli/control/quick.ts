/** `bulkhead ps` without the parser of all commands: it is typed, and run by shells' completion, more often than any other. */
import { ControlClient } from "../../control/client.js";
import { controlPath } from "../../control/operations.js";
import { defaultOf } from "../default-places.js";
import type { Streams } from "../output.js";
import { runPrinted } from "./output.js";
import { ps } from "./plugins.js";

/** What a plain command line says. */
interface Plain {
  readonly json: boolean;
  readonly socket: string;
}

/** Runs `ps` if the command line is a plain one, and returns its exit code; undefined: the parser must read it. */
export async function runQuick(argv: readonly string[], streams: Streams): Promise<number | undefined> {
  const plain = plainPs(argv);
  return plain && runPrinted(streams, plain.json, (printer) => ps(new ControlClient(plain.socket), printer));
}

/** Reads `ps [--json] [--control PATH] [--data-dir FOLDER]`. Returns undefined for anything else, help and mistakes included. */
function plainPs([command, ...rest]: readonly string[]): Plain | undefined {
  if (command !== "ps") return undefined;
  const values = new Map<string, string>();
  let json = false;
  for (let at = 0; at < rest.length; at++) {
    const flag = rest[at] ?? "";
    if (flag === "--json") {
      json = true;
      continue;
    }
    const value = rest[++at];
    if ((flag !== "--control" && flag !== "--data-dir") || value === undefined || value.startsWith("-"))
      return undefined;
    values.set(flag, value);
  }
  return { json, socket: values.get("--control") ?? controlPath(values.get("--data-dir") ?? defaultOf("dataDir")) };
}

/** `bulkhead ps` without the parser of all commands: users and shell completion run it more often than any other command. */
import { controlPath, OPERATIONS, type Replies } from "../../control/operations.js";
import { quickAsk } from "../../control/quick-ask.js";
import { defaultOf } from "../default-places.js";
import type { Streams } from "../output.js";
import { runPrinted } from "./output.js";
import { printPlugins } from "./plugins.js";

/** What a plain command line says. */
interface Plain {
  readonly json: boolean;
  readonly socket: string;
}

/** Runs `ps` if the command line is a plain one and a host answers, and returns its exit code; undefined: the parser must read it. */
export async function runQuick(argv: readonly string[], streams: Streams): Promise<number | undefined> {
  const plain = plainPs(argv);
  const reply =
    plain && ((await quickAsk(plain.socket, OPERATIONS.plugins.path)) as Partial<Replies["plugins"]> | undefined);
  const plugins = reply?.plugins;
  if (plain === undefined || !Array.isArray(plugins)) return undefined;
  return runPrinted(streams, plain.json, async (printer) => printPlugins(printer, plugins));
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

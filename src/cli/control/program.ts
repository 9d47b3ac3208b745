/** The command line for the commands that ask a running host, without the code of all the others. */
import { Command } from "commander";
import { EXIT, type Streams } from "../output.js";
import { parse } from "../parse.js";
import { addControlCommands } from "./commands.js";

/** As `runProgram`. */
export async function runControl(argv: readonly string[], streams: Streams, version: string): Promise<number> {
  const json = argv.includes("--json");
  let exit: number = EXIT.done;
  const program = new Command("bulkhead");
  addControlCommands(program, streams, json, (code) => {
    exit = code;
  });
  const failed = await parse(program, argv, { json, streams, version });
  return failed ?? exit;
}

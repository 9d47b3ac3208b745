/** The command line: all the commands, in the order in which `--help` lists them. */
import { Command, Option } from "commander";
import type { MakeHost } from "./check.js";
import type { Add } from "./commands/add.js";
import { addAuthorCommands } from "./commands/authoring.js";
import { addDataFolderCommands } from "./commands/data-folder.js";
import { addGrantCommands } from "./commands/grants.js";
import { addExecutableCommands, addMachineCommands } from "./commands/machine.js";
import { addControlCommands } from "./control/commands.js";
import { helpEnd } from "./help.js";
import { EXIT, runReported, type Streams } from "./output.js";
import { parse } from "./parse.js";
import type { Daemon } from "./serve/serve.js";

/** Parts that the perimeter provides and tests replace. */
export interface ProgramParts {
  readonly makeHost?: MakeHost;
  /** What `serve` needs of its process. */
  readonly daemon?: Daemon;
}

/** Runs `bulkhead` with `argv` (without node and script) and gives the exit code. Never throws. */
export async function runProgram(
  argv: readonly string[],
  streams: Streams,
  version: string,
  { makeHost, daemon }: ProgramParts = {},
): Promise<number> {
  // Commander reports wrong use before it has parsed the options.
  const json = argv.includes("--json");
  let exit: number = EXIT.done;
  const program = new Command("bulkhead");
  program.description("Runs network drivers written by people you do not trust.");

  const add: Add = ({ usage, does, lines = false, work, ...help }) => {
    const one = program.command(usage).description(does).allowExcessArguments(false);
    one.addOption(new Option("--json", lines ? "print a line of JSON for each result" : "print one line of JSON"));
    one.addHelpText("after", helpEnd(help));
    one.action(async (first: unknown) => {
      const named = typeof first === "string" ? first : "";
      exit = await runReported(json, streams, () => work(named, one));
    });
    return one;
  };
  addGrantCommands(add);
  addAuthorCommands(add, { streams, json, version, makeHost, daemon });
  addMachineCommands(add, daemon);
  addDataFolderCommands(add);
  addExecutableCommands(add);
  add({
    usage: "completion <shell>",
    does: "print the completion script of bash, zsh or fish",
    example: "bulkhead completion bash > /etc/bash_completion.d/bulkhead",
    async work(shell) {
      const { completion } = await import("./completion/completion.js");
      return completion(program, shell);
    },
  });
  addControlCommands(program, streams, json, (code) => {
    exit = code;
  });
  const failed = await parse(program, argv, { json, streams, version });
  return failed ?? exit;
}

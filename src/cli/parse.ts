/** Parses the command line with commander, whose errors become ours. */
import { type Command, CommanderError } from "commander";
import { DriverError } from "../driverapi/errors.js";
import { EXIT, reportError, type Streams } from "./output.js";

export interface ParseOptions {
  readonly json: boolean;
  readonly streams: Streams;
  readonly version: string;
}

/** Runs the command that `argv` names. Resolves with an exit code where none was run; undefined: it has run. Never rejects. */
export async function parse(
  program: Command,
  argv: readonly string[],
  { json, streams, version }: ParseOptions,
): Promise<number | undefined> {
  try {
    settled(program.version(version, "-V, --version", "print the version"), streams);
    for (const command of program.commands) settled(command, streams);
    program.hook("preAction", (_, command) => refuseEmpty(command));
    await program.parseAsync(argv, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(json, streams, error);
    if (error.exitCode === 0) return EXIT.done;
    // `bulkhead` alone, and `bulkhead help nonsense`, have no message.
    const words = error.message
      .replace(/^error: /, "")
      .replaceAll("\n", " ")
      .replace(/\.$/, "");
    const message = words === "(outputHelp)" ? "a command is missing" : words;
    return reportError(json, streams, new DriverError("ERR_USAGE", `${message}; see bulkhead --help`));
  }
}

function settled(command: Command, streams: Streams): void {
  command
    .helpOption("-h, --help", "print this help")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: () => {} });
}

/** Throws `ERR_USAGE` for an argument that is "", as a shell's unset variable gives: as a path it would mean the working folder. */
function refuseEmpty(command: Command): void {
  for (const [at, argument] of command.registeredArguments.entries()) {
    if (command.args[at] !== "" || argument.variadic) continue;
    const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    const words = `bulkhead ${command.name()}: the argument ${name} is empty; see bulkhead ${command.name()} --help`;
    throw new DriverError("ERR_USAGE", words);
  }
}

/** `bulkhead completion`: a shell's completion of commands, their options and arguments, and the running host's names. */
import type { Command } from "commander";
import { DriverError } from "../../driverapi/errors.js";
import type { Report } from "../output.js";
import { bash, zsh } from "./bourne.js";
import { fish } from "./fish.js";
import { ARGUMENTS, type Completed, optionValue } from "./words.js";

const SHELLS = { bash, zsh, fish } as const;

/** Returns the script for `shell`. Throws `ERR_USAGE` for one that is not known. */
export function completion(program: Command, shell: string): Report {
  if (!Object.hasOwn(SHELLS, shell))
    throw new DriverError("ERR_USAGE", `there is completion for ${Object.keys(SHELLS).join(", ")}`);
  const script = SHELLS[shell as keyof typeof SHELLS](program.commands.map(completed)).trimEnd();
  return { data: { shell, script }, text: script };
}

function completed(command: Command): Completed {
  const name = command.name();
  const places = ARGUMENTS[name] ?? [];
  if (places.length !== command.registeredArguments.length)
    throw new Error(`completion/words.ts has ${places.length} arguments of ${name}`);
  const options = command.options.flatMap(({ long, short, description, required, flags }) => {
    if (!long) return [];
    const value = required ? optionValue(long, /<([\w-]+)/.exec(flags)?.[1] ?? "") : undefined;
    return [{ long, short, does: description, value }];
  });
  return { name, does: command.description(), options, arguments: places };
}

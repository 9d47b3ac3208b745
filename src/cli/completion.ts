/** `bulkhead completion`: a shell's completion of commands, their options, and the running host's plugins. */
import type { Command } from "commander";
import { DriverError } from "../driverapi/errors.js";
import type { Report } from "./output.js";

const SHELLS = { bash, zsh, fish } as const;

/** One command, as a shell completes it. */
interface Completed {
  readonly name: string;
  readonly does: string;
  /** Long flags with their descriptions. */
  readonly flags: readonly { readonly flag: string; readonly does: string }[];
  /** Its argument is a plugin's id. */
  readonly takesId: boolean;
}

/** Returns the script for `shell`. Throws `ERR_USAGE` for one that is not known. */
export function completion(program: Command, shell: string): Report {
  if (!Object.hasOwn(SHELLS, shell))
    throw new DriverError("ERR_USAGE", `there is completion for ${Object.keys(SHELLS).join(", ")}`);
  const script = SHELLS[shell as keyof typeof SHELLS](program.commands.map(completed)).trimEnd();
  return { data: { shell, script }, text: script };
}

function completed(command: Command): Completed {
  const flags = command.options.flatMap(({ long, description }) => (long ? [{ flag: long, does: description }] : []));
  const takesId = command.registeredArguments[0]?.name() === "id";
  return { name: command.name(), does: command.description(), flags, takesId };
}

/** Prints the ids of the running host's plugins; nothing where none runs. */
const IDS = `bulkhead ps --json 2>/dev/null | sed -n 's/^{"id":"\\([A-Za-z0-9._-]*\\)".*/\\1/p'`;

function names(commands: readonly Completed[]): string {
  return commands.map(({ name }) => name).join(" ");
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(
    ({ name, flags, takesId }) =>
      `    ${name}) words="${flags.map(({ flag }) => flag).join(" ")}"${takesId ? `; ids=$(${IDS})` : ""} ;;`,
  );
  return `# bulkhead completion bash > /etc/bash_completion.d/bulkhead
_bulkhead() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words="" ids=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${names(commands)}" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$ids" -- "$word") $(compgen -f -- "$word")) ;;
  esac
}
complete -F _bulkhead bulkhead`;
}

function zsh(commands: readonly Completed[]): string {
  const list = commands.map(({ name, does }) => `    ${quoted(`${name}:${does.replaceAll(":", "\\:")}`)}`);
  const cases = commands.map(
    ({ name, flags, takesId }) =>
      `    ${name}) flags=(${flags.map(({ flag }) => flag).join(" ")})${takesId ? `; ids=(\${(f)"$(${IDS})"})` : ""} ;;`,
  );
  return `#compdef bulkhead
# bulkhead completion zsh > "\${fpath[1]}/_bulkhead"
_bulkhead() {
  local -a commands flags ids
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}" in
${cases.join("\n")}
  esac
  compadd -a flags
  compadd -a ids
  _files
}
if [ "$funcstack[1]" = _bulkhead ]; then _bulkhead "$@"; else compdef _bulkhead bulkhead; fi`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, does, flags, takesId }) => {
    const of = `complete -c bulkhead -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c bulkhead -f -n __fish_use_subcommand -a ${name} -d ${quoted(does)}`,
      ...flags.map(({ flag, does: words }) => `${of} -l ${flag.replace(/^--/, "")} -d ${quoted(words)}`),
      ...(takesId ? [`${of} -a "(${IDS.replaceAll('"', '\\"')})"`] : []),
    ];
  });
  return ["# bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish", ...lines].join("\n");
}

/** Quotes a text for all three shells; it holds no single quotes afterwards. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

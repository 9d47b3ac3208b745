/** The completion scripts of bash and zsh: the same cases, with what each shell is told in functions of its own. */
import { HOST_FLAGS, hostNames, quoted } from "./host-names.js";
import type { Completed, Place } from "./words.js";

/** Returns the shell's words for a place: calls of the functions that offer files and words. */
function offers({ files, words = [], names = [] }: Place): string {
  const calls = [
    ...(words.length === 0 ? [] : [`_bulkhead_words "${words.join(" ")}"`]),
    ...names.map((one) => `_bulkhead_words "$(${hostNames(one, `"\${place[@]}"`)})"`),
    ...(files ? ["_bulkhead_files"] : []),
  ];
  return calls.join("; ") || ":";
}

/** Returns cases, one for all places that are the same; `patterns` by what they offer. */
function cases(rows: readonly (readonly [pattern: string, place: Place])[]): string {
  const patterns = new Map<string, Set<string>>();
  for (const [pattern, place] of rows) {
    const body = offers(place);
    patterns.set(body, (patterns.get(body) ?? new Set()).add(pattern));
  }
  return [...patterns].map(([body, of]) => `    ${[...of].join("|")}) ${body} ;;`).join("\n");
}

/** Returns the part that both have. `before`: the word before the current one; `given`: those after the command, before the current one. */
function body(commands: readonly Completed[], before: string, given: string): string {
  const values = commands.flatMap(({ options }) =>
    options.flatMap(({ long, short, value }) =>
      value === undefined ? [] : [long, ...(short ? [short] : [])].map((flag) => [flag, value] as const),
    ),
  );
  const flags = [...new Set(values.map(([flag]) => flag))].join("|");
  const places = commands.flatMap((one) => one.arguments.map((place, at) => [`${one.name}:${at}`, place] as const));
  const options = commands.map(
    ({ name, options }) => `    ${name}) _bulkhead_words "${options.map(({ long }) => long).join(" ")}" ;;`,
  );
  return `  local -a place
  local at=0 skip="" one
  place=()
  for one in ${given}; do
    case "$one" in "=") skip="\${skip:-=}"; continue ;; esac
    case "$skip" in
      "") ;;
      ${HOST_FLAGS.join("|")}) place+=("$skip" "$one"); skip=""; continue ;;
      *) skip=""; continue ;;
    esac
    case "$one" in
      ${flags}) skip="$one" ;;
      -*) ;;
      *) at=$((at + 1)) ;;
    esac
  done
  case "${before}" in
${cases(values)}
  esac
  case "${before}" in ${flags}) return ;; esac
  case "$word" in -*)
    case "$command" in
${options.join("\n")}
    esac
    return ;;
  esac
  case "$command:$at" in
${cases(places)}
  esac`;
}

export function bash(commands: readonly Completed[]): string {
  return `# bulkhead completion bash > /etc/bash_completion.d/bulkhead
_bulkhead_words() { COMPREPLY+=($(compgen -W "$1" -- "$word")); }
_bulkhead_files() {
  local file
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$word")
}
_bulkhead() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _bulkhead_words "${commands.map(({ name }) => name).join(" ")}"
    return
  fi
  # bash makes three words of --flag=value.
  if [ "$word" = "=" ]; then word=""
  elif [ "$before" = "=" ]; then before="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
${body(commands, "$before", `"\${COMP_WORDS[@]:2:COMP_CWORD-2}"`)}
}
complete -F _bulkhead bulkhead`;
}

export function zsh(commands: readonly Completed[]): string {
  const list = commands.map(({ name, does }) => `    ${quoted(`${name}:${does.replaceAll(":", "\\:")}`)}`);
  return `#compdef bulkhead
# bulkhead completion zsh > "\${fpath[1]}/_bulkhead"
_bulkhead_words() { compadd -- \${=1} }
_bulkhead_files() { _files }
_bulkhead() {
  local word="\${words[CURRENT]}" command="\${words[2]}"
  local -a commands
  commands=(
${list.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
${body(commands, `\${words[CURRENT-1]}`, `"\${(@)words[3,CURRENT-1]}"`)}
}
if [ "$funcstack[1]" = _bulkhead ]; then _bulkhead "$@"; else compdef _bulkhead bulkhead; fi`;
}

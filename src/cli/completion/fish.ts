/** The completion script of fish. */
import { HOST_FLAGS, hostNames, quoted } from "./host-names.js";
import type { Completed, CompletedOption, Place } from "./words.js";

/** Returns options of fish's `complete` for a place. `-f`, given for all of the command line, keeps files out elsewhere. */
function offers({ files, words = [], names = [] }: Place): string {
  const asked = names.map((one) => `(__bulkhead_${one})`);
  const all = [...words, ...asked].join(" ");
  return `${files ? " -F" : ""}${all === "" ? "" : ` -a "${all}"`}`;
}

function option({ long, short, does, value }: CompletedOption): string {
  const takes = value === undefined ? "" : ` -r${value.files ? "" : " -f"}${offers(value)}`;
  return ` -l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ""} -d ${quoted(does)}${takes}`;
}

export function fish(commands: readonly Completed[]): string {
  const flags = new Set(
    commands.flatMap(({ options }) =>
      options.flatMap(({ long, short, value }) => (value === undefined ? [] : [long, ...(short ? [short] : [])])),
    ),
  );
  const lines = commands.flatMap(({ name, does, options, arguments: places }) => [
    `complete -c bulkhead -n __fish_use_subcommand -a ${name} -d ${quoted(does)}`,
    ...options.map((one) => `complete -c bulkhead -n '__fish_seen_subcommand_from ${name}'${option(one)}`),
    ...places.flatMap((place, at) => {
      const offered = offers(place);
      return offered === "" ? [] : [`complete -c bulkhead -n '__bulkhead_at ${name} ${at}'${offered}`];
    }),
  ]);
  return `# bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish
function __bulkhead_at -a command position
    set -l words (commandline -opc)
    test "$words[2]" = $command; or return 1
    set -l at 0
    set -l skip 0
    for word in $words[3..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${[...flags].join(" ")}
                set skip 1
            case '-*'
            case '*'
                set at (math $at + 1)
        end
    end
    test $at -eq $position
end
function __bulkhead_host
    set -l words (commandline -opc)
    for at in (seq 2 (math (count $words) - 1))
        contains -- $words[$at] ${HOST_FLAGS.join(" ")}; and printf '%s\\n' $words[$at] $words[(math $at + 1)]
    end
end
${(["plugins", "types", "networks"] as const)
  .map((one) => `function __bulkhead_${one}\n    ${hostNames(one, "(__bulkhead_host)")}\nend`)
  .join("\n")}
complete -c bulkhead -f
${lines.join("\n")}`;
}

/** Shell commands that print the names which a running host has, one a line; nothing where none runs. */
import type { HostNames } from "./words.js";

/** Characters of a name that are offered: no others, so that no shell expands a name. */
const NAME = "A-Za-z0-9._-";

/** The command that asks, and what sed and tr make of its lines of JSON. */
const COMMANDS: Readonly<Record<HostNames, readonly [command: string, read: string]>> = {
  plugins: ["ps", `sed -n 's/^{"id":"\\([${NAME}]*\\)".*/\\1/p'`],
  types: ["ps", `sed -n 's/^{"id":.*"types":\\["\\([",${NAME}]*\\)"\\].*/\\1/p' | tr -s '",' '\\n\\n'`],
  networks: ["networks", `sed -n 's/^{"id":"\\([${NAME}]*\\)".*/\\1/p'`],
};

/** Returns the command. `host`: the shell's words for the options that name the host. */
export function hostNames(names: HostNames, host: string): string {
  const [command, read] = COMMANDS[names];
  return `bulkhead ${command} --json ${host} 2>/dev/null | ${read}`;
}

/** The options that name the host: what was typed of them is passed on. */
export const HOST_FLAGS = ["--data-dir", "--control"] as const;

/** Quotes a text for bash, zsh and fish; it holds no single quotes afterwards. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

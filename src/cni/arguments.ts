/** A CNI request's environment: which command, for which container, through which interface. */

import { CniFailure } from "./failure.js";

/** The commands, and the version of the specification that each came with. */
export const COMMANDS = { ADD: "0.3.0", DEL: "0.3.0", CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" } as const;
export type Command = keyof typeof COMMANDS;

export interface CniArguments {
  readonly command: Command;
  /** "" for the commands that concern no container. */
  readonly container: string;
  readonly netns: string;
  readonly interface: string;
  /** `CNI_ARGS`: what is known of them. */
  readonly addresses: readonly string[];
  readonly mac: string;
}

type Env = Readonly<Record<string, string>>;

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const ID_CHARS = 1_024;

/** Reads the variables. Throws `CniFailure`. */
export function readArguments(env: Env): CniArguments {
  const command = env.CNI_COMMAND ?? "";
  if (!isCommand(command))
    throw new CniFailure(
      "environment",
      `unknown CNI_COMMAND ${JSON.stringify(command)}; the commands are ${Object.keys(COMMANDS).join(", ")} and VERSION`,
    );
  const ofContainer = command !== "GC" && command !== "STATUS";
  const given = readGiven(env.CNI_ARGS ?? "");
  return {
    command,
    container: ofContainer ? readId(env, "CNI_CONTAINERID") : "",
    netns: command === "ADD" || command === "CHECK" ? readSet(env, "CNI_NETNS") : (env.CNI_NETNS ?? ""),
    interface: ofContainer ? readSet(env, "CNI_IFNAME") : "",
    addresses: (given.get("IP") ?? "").split(",").filter((one) => one !== ""),
    mac: given.get("MAC") ?? "",
  };
}

function isCommand(text: string): text is Command {
  return Object.hasOwn(COMMANDS, text);
}

function readSet(env: Env, name: string): string {
  const value = env[name] ?? "";
  if (value === "") throw new CniFailure("environment", `${name} is not set: the runtime must name it`);
  return value;
}

function readId(env: Env, name: string): string {
  const id = readSet(env, name);
  if (ID.test(id) && id.length <= ID_CHARS) return id;
  throw new CniFailure(
    "environment",
    `${name} must begin with a letter or digit, go on with letters, digits, _ . -, and have at most ${ID_CHARS} of them`,
  );
}

/** The keys of `CNI_ARGS` that are read, and those that runtimes send for other plugins. */
const KNOWN = ["IP", "MAC", "IgnoreUnknown"];
const IGNORED = /^K8S_/;

function readGiven(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(";").filter((one) => one !== "");
  const given = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new CniFailure("environment", `CNI_ARGS: ${JSON.stringify(pair.slice(0, 64))} is not KEY=VALUE`);
    given.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const lax = ["1", "true"].includes((given.get("IgnoreUnknown") ?? "").toLowerCase());
  const unknown = [...given.keys()].find((key) => !KNOWN.includes(key) && !IGNORED.test(key));
  if (unknown !== undefined && !lax)
    throw new CniFailure(
      "environment",
      `CNI_ARGS: ${JSON.stringify(unknown.slice(0, 64))} is not known (${KNOWN.join(", ")} are); with IgnoreUnknown=1 it is ignored`,
    );
  return given;
}

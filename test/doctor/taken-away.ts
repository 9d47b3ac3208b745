/** The wall with one part taken away: its command is changed, so that what is tried behind it meets nothing there. */

import { DOCTOR } from "#dist/doctor/limits.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import type { Trial, Wall, WallCommand } from "#dist/isolation/walls/wall.js";

export type Change = (command: WallCommand, dataMb: number, trial: Trial | undefined) => WallCommand;

/** Raises bubblewrap and changes each of its commands: what the doctor takes for the whole wall. */
export function taking(...changes: readonly Change[]): typeof raiseWall {
  return async (demanded, policyFile) => {
    const wall = await raiseWall(demanded, policyFile);
    const command: Wall["command"] = (dataMb, trial) =>
      changes.reduce((changed, change) => change(changed, dataMb, trial), wall.command(dataMb, trial));
    return { ...wall, command };
  };
}

/** Replaces a run of bubblewrap's arguments, wherever it stands; throws when it is nowhere, so that no test goes blind. */
export function replaced(from: readonly string[], to: readonly string[] = []): Change {
  return (command) => {
    const args = [...command.args];
    let found = false;
    for (let at = 0; at + from.length <= args.length; at++) {
      if (from.some((word, index) => args[at + index] !== word)) continue;
      args.splice(at, from.length, ...to);
      at += to.length - 1;
      found = true;
    }
    if (!found) throw new Error(`the wall has no ${from.join(" ")}`);
    return { ...command, args };
  };
}

/** Puts arguments before the first of `before`. */
export function added(before: string, ...more: readonly string[]): Change {
  return (command) => {
    const at = command.args.indexOf(before);
    if (at < 0) throw new Error(`the wall has no ${before}`);
    return { ...command, args: [...command.args.slice(0, at), ...more, ...command.args.slice(at)] };
  };
}

/** The runtime's folder and Node, mounted so that they can be written to. */
export const writableRuntime: Change = (command) => {
  const at = command.args.indexOf("/bulkhead") - 2;
  if (command.args[at] !== "--ro-bind") throw new Error("the runtime's folder is not mounted read-only");
  return { ...command, args: command.args.with(at, "--bind") };
};

/** No filter of system calls. */
export const noFilter: Change = (command, dataMb, trial) => {
  const { filter: _, ...rest } = replaced(["--seccomp", "5"])(command, dataMb, trial);
  return rest;
};

/** As the platform's own account. */
export const sameAccount: Change = ({ account: _, ...rest }) => rest;

/** Changes the words of the shell that sets limits and then becomes the wall. */
export function shell(from: string, to: string): Change {
  return (command) => {
    const [flag = "", script = "", ...rest] = command.args;
    if (!script.includes(from)) throw new Error(`the shell does not say ${from}`);
    return { ...command, args: [flag, script.replaceAll(from, to), ...rest] };
  };
}

/** No permission flags on the host process. */
export const noFlags: Change = (command) => ({
  ...command,
  args: command.args.filter((word) => !/^--((experimental-)?permission$|allow-(fs-read|worker))/.test(word)),
});

/** No wall at all, under the whole one's name. */
export const nothingStands: typeof raiseWall = async (_, policyFile) => ({
  ...(await raiseWall("none", policyFile)),
  ...{ name: "bubblewrap", lacks: [] },
});

const LINGERS = `const link = new (require("node:net").Socket)({ fd: 3, allowHalfOpen: true });
  link.on("error", () => {}).resume().write("here");
  setTimeout(() => {}, ${DOCTOR.lingerMs});`;

/** A host process that does not end with its link. */
export const lingers: Change = (command, _, trial) =>
  trial === undefined ? { ...command, args: [...command.args.slice(0, -1), "-e", LINGERS] } : command;

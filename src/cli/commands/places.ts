/** Options that name places: the plugins folders, the policy, the data folder, the running host. */
import type { Command } from "commander";
import { controlPath } from "../../control/operations.js";
import type { HostPlace } from "../applied.js";
import { DEFAULT_TEXTS, defaultOf } from "../default-places.js";
import type { Places } from "../places.js";
import { collect } from "./add.js";

export function withPlaces(command: Command): Command {
  const usual = `the plugins folder; may be given more than once (${DEFAULT_TEXTS.plugins})`;
  return withPolicy(command).option("--plugins <folder>", usual, collect);
}

export function withPolicy(command: Command): Command {
  return command.option("--policy <file>", `the policy's file (${DEFAULT_TEXTS.policy})`);
}

export function withDataDir(command: Command): Command {
  return command.option("--data-dir <folder>", `the data folder (${DEFAULT_TEXTS.dataDir})`);
}

export function withHost(command: Command): Command {
  return command
    .option("--data-dir <folder>", `the host's data folder (${DEFAULT_TEXTS.dataDir})`)
    .option("--control <path>", "the host's control socket (default: control.sock in its data folder)");
}

export function hostOf(command: Command): HostPlace {
  const { dataDir, control } = command.opts<{ dataDir?: string; control?: string }>();
  return { socket: control ?? controlPath(dataDir ?? defaultOf("dataDir")) };
}

export function dataDirOf(command: Command): string {
  return command.opts<{ dataDir?: string }>().dataDir ?? defaultOf("dataDir");
}

export function placesOf(command: Command): Places {
  const { plugins = [defaultOf("plugins")], policy } = command.opts<{ plugins?: readonly string[]; policy?: string }>();
  return { plugins, policy: policy ?? defaultOf("policy"), policyNamed: policy !== undefined };
}

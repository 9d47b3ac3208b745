/** The folders and the policy that commands use where none is named. Loads little: commands start fast. */
import { existsSync } from "node:fs";
import { DEFAULT_POLICY_FILE } from "../policy/default-file.js";
import { DEFAULTS as DAEMON } from "./serve/defaults.js";

/** Defaults in a project's folder. */
export const HERE: Readonly<Record<"plugins" | "policy" | "dataDir", string>> = {
  plugins: "./plugins",
  policy: `./${DEFAULT_POLICY_FILE}`,
  dataDir: "./data",
};

/** For `--help`. */
export const DEFAULT_TEXTS: Readonly<Record<keyof typeof HERE, string>> = {
  plugins: defaultText("plugins"),
  policy: defaultText("policy"),
  dataDir: defaultText("dataDir"),
};

function defaultText(key: keyof typeof HERE): string {
  return `default: ${HERE[key]}; in a folder with neither plugins, policy nor data: ${DAEMON[key]}`;
}

/**
 * Returns the default path: in the working folder, or the daemon's if the working folder has none of the three. The choice is the
 * same for all three, so that a project's plugin is not granted in the daemon's policy.
 */
export function defaultOf(key: keyof typeof HERE, exists: (path: string) => boolean = existsSync): string {
  const here = Object.values(HERE).some(exists);
  return !here && exists(DAEMON[key]) ? DAEMON[key] : HERE[key];
}

/** What tests behind the wall need of the machine. */
import { spawnSync } from "node:child_process";

const tried = spawnSync("bwrap", ["--unshare-user", "--ro-bind", "/", "/", "true"], { encoding: "utf8" });

/** Why bubblewrap cannot be raised here; undefined when it can. */
export const noBubblewrap: string | undefined =
  tried.status === 0
    ? undefined
    : `bubblewrap cannot be raised here (${tried.error?.message ?? tried.stderr.trim()}); Debian: apt-get install bubblewrap`;

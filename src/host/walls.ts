/** Reports on the walls to the operator: which one is raised, what it lacks, and when a host process has ended. */

import type { Logger } from "../common/logger.js";
import type { HostProcessesOptions } from "../isolation/host-processes.js";
import { raiseWall } from "../isolation/walls/raise.js";
import type { Wall } from "../isolation/walls/wall.js";
import type { PolicySource } from "../policy/policy-source.js";
import type { Audit } from "./audit/audit.js";

/**
 * Raises the wall that the policy demands, on first use, and reports a weakened one at every start. `exchange`: for tests.
 */
export function wallReports(
  policy: PolicySource,
  logger: Logger,
  audit: Audit,
  exchange: (raised: Wall) => Wall = (raised) => raised,
): HostProcessesOptions {
  return {
    demanded: () => policy.current.sandbox ?? "bubblewrap",
    async wall(demanded): Promise<Wall> {
      const wall = exchange(await raiseWall(demanded, policy.file));
      if (wall.lacks.length > 0) {
        logger.warn({ wall: wall.name }, weakened(wall));
        audit.write({ event: "wall-weakened", detail: weakened(wall) });
      } else logger.debug({ wall: wall.name }, "host processes run under bubblewrap");
      return wall;
    },
    aborted({ why, plugins, alone }) {
      const hosted = plugins.length === 0 ? "a spare" : plugins.join(", ");
      const then = alone.length === 0 ? "" : `; from now on each in a process of its own: ${alone.join(", ")}`;
      const detail = `a host process ended (${hosted}): ${why}${then}`;
      audit.write({ event: "aborted", code: "ERR_HOST_PROCESS", detail });
      logger.warn({ code: "ERR_HOST_PROCESS", plugins, alone }, detail);
    },
    spawnerLost(detail) {
      audit.write({ event: "aborted", code: "ERR_HOST_PROCESS", detail });
      logger.error({ code: "ERR_HOST_PROCESS" }, detail);
    },
  };
}

const WEAKER = {
  bubblewrap: "host processes run under bubblewrap, but parts of the wall are missing",
  node: "host processes run without bubblewrap, behind Node's permission flags alone",
  none: "host processes run without any wall",
} as const;

/** Describes in one line what is missing. */
export function weakened({ name, lacks }: Pick<Wall, "name" | "lacks">): string {
  return `the wall is weakened: ${WEAKER[name]}: ${lacks.join("; ")}`;
}

/** Chooses kernel or model, by what was requested and what is available. */

import { DriverError } from "../../driverapi/errors.js";
import type { NetlinkBackend } from "./backend.js";
import { kernelProblem, openKernel } from "./kernel/available.js";
import { ModelBackend } from "./model/model-backend.js";
import { ModelWorld } from "./model/world.js";

/** The platform's choice. */
export interface BackendChoice {
  /** Default "auto": the kernel if it is available, else the model. */
  readonly backend?: "kernel" | "model" | "auto" | undefined;
  /** A namespace's name or path. Absent: the process's own. */
  readonly netns?: string | undefined;
}

/** Opens the chosen backend. Throws `ERR_OPTIONS`. */
export function openBackend({ backend = "auto", netns }: BackendChoice): NetlinkBackend {
  if (backend === "model") return new ModelBackend(new ModelWorld(), netns);
  const problem = kernelProblem();
  if (problem !== undefined && backend === "auto") return new ModelBackend(new ModelWorld(), netns);
  if (problem !== undefined) {
    throw new DriverError(
      "ERR_OPTIONS",
      `option "backend": "kernel" cannot be had here: ${problem}; use "model" or "auto"`,
    );
  }
  return openKernel(netns);
}

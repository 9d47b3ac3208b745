/**
 * The files that Bulkhead's workers and processes are started from stand beside its code. A bundler makes one file of the code and leaves
 * them behind: said at once, and not by the first plugin that does not load.
 */
import { existsSync } from "node:fs";
import { DriverError } from "../driverapi/errors.js";

const NEEDED = ["../bundler/child.js", "../worker/bootstrap.cjs", "../isolation/host-process-main.js"] as const;

const WORDS =
  "Bulkhead's code was bundled, and the files that its workers are started from are not beside it: leave the package out of the bundle " +
  "(esbuild: --external:bulkhead; Rollup, webpack: externals) and install it where the bundle runs";

/** Undefined in a bundle in CommonJS, where every file's own place is lost. */
const here: string | undefined = import.meta.url;
if (here === undefined) throw new DriverError("ERR_BUNDLED", WORDS);

/** Throws `ERR_BUNDLED`. */
export function refuseBundled(): void {
  const missing = NEEDED.find((name) => !existsSync(new URL(name, here)));
  if (missing !== undefined) throw new DriverError("ERR_BUNDLED", `${WORDS} (missing: ${missing.replace("../", "")})`);
}

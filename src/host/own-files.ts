/**
 * Bulkhead's workers and processes start from files beside its code. A bundler turns the code into one file and leaves those behind: this
 * check reports it at once, before a plugin fails to load.
 */
import { existsSync } from "node:fs";
import { DriverError } from "../driverapi/errors.js";

const NEEDED = [
  "../bundler/child.js",
  "../spawner/main.js",
  "../worker/bootstrap.cjs",
  "../isolation/host-process-main.js",
] as const;

const WORDS =
  "Bulkhead's code was bundled, and the files that its workers are started from are not beside it: leave the package out of the bundle " +
  "(esbuild: --external:bulkhead; Rollup, webpack: externals) and install it where the bundle runs";

/** Undefined in a CommonJS bundle, where a file does not know its own path. */
const here: string | undefined = import.meta.url;
if (here === undefined) throw new DriverError("ERR_BUNDLED", WORDS);

/** Throws `ERR_BUNDLED` where a needed file is missing. */
export function refuseBundled(): void {
  const missing = NEEDED.find((name) => !existsSync(new URL(name, here)));
  if (missing !== undefined) throw new DriverError("ERR_BUNDLED", `${WORDS} (missing: ${missing.replace("../", "")})`);
}

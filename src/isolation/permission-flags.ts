/** Node's permission flags for a worker: it may read the runtime's own worker code and Piscina's, and nothing else. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { permissionFlag } from "../protocol/permission-flag.js";

/** Returns the `execArgv` of a worker whose bootstrap is the file `bootstrap`. */
export function permissionFlags(bootstrap: string): string[] {
  const piscina = dirname(createRequire(import.meta.url).resolve("piscina"));
  return [
    permissionFlag(),
    ...[dirname(bootstrap), piscina].map((folder) => `--allow-fs-read=${folder}/*`),
    "--disable-warning=ExperimentalWarning",
  ];
}

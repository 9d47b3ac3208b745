/**
 * zod without the globals that it creates, so that embedding leaves the platform's globals unchanged. zod reads them only while it is
 * loaded (and later for an optimisation that is off). Those of the platform's own zod are kept.
 */
import "./zod-before.js";
import { z } from "zod";
import { ZOD_GLOBALS } from "./zod-before.js";

for (const name of ZOD_GLOBALS) Reflect.deleteProperty(globalThis, name);

export { z };

/**
 * zod, without the globals it makes: embedding changes nothing global in the platform's process. It reads them once, while
 * it is loaded (and later only for an optimisation that is off), so they can go again. The platform's own zod keeps its own.
 */
import "./zod-before.js";
import { z } from "zod";
import { ZOD_GLOBALS } from "./zod-before.js";

for (const name of ZOD_GLOBALS) Reflect.deleteProperty(globalThis, name);

export { z };

/** The acceptance on the engine of Debian's unstable release: what depends on an engine's release. */
import { acceptance } from "./engine/acceptance.js";
import { ENGINES } from "./engine/kinds.js";

acceptance(ENGINES.sid, "asked");
